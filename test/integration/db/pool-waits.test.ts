import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openDatabase, type Database } from "#platform/db/client.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

let db: TestDatabase;
let database: Database;
const waits: number[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  database = openDatabase({
    url: db.url,
    applicationName: "pool-waits",
    poolSize: 1,
    connectTimeoutMs: 5_000,
    onPoolWait: (waitedMs) => waits.push(waitedMs),
  });
});
afterAll(async () => {
  await database.close();
  await db.drop();
});

test("only queries that had to wait for a connection are reported, with how long they waited", async () => {
  await database.pool.query("SELECT 1");
  await database.pool.query("SELECT 1");
  expect(waits).toEqual([]);

  const held = await database.pool.connect();
  expect(waits).toEqual([]);
  const waiting = [
    database.pool.query("SELECT 1"),
    database.pool.connect().then((client) => client.release()),
  ];
  await new Promise((resolve) => setTimeout(resolve, 60));
  held.release();
  await Promise.all(waiting);
  expect(waits).toHaveLength(2);
  for (const waitedMs of waits) expect(waitedMs).toBeGreaterThan(50);
});
