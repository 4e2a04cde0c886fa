import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import pg from "pg";
import { HostileProxy } from "../../../bench/chaos/hostile-proxy.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

let db: TestDatabase;
let proxy: HostileProxy;
let client: pg.Client;

beforeEach(async () => {
  db = await createTestDatabase();
  await db.database.pool.query("CREATE TABLE notes (text text)");
  proxy = await HostileProxy.start(db.url);
  client = new pg.Client({ connectionString: proxy.url });
  client.on("error", () => undefined);
  await client.connect();
});

afterEach(async () => {
  await client.end().catch(() => undefined);
  await proxy.close();
  await db.drop();
});

async function storedNotes(): Promise<number> {
  const { rows } = await db.database.pool.query<{ count: number }>("SELECT count(*)::int FROM notes");
  return rows[0]?.count ?? 0;
}

describe("the hostile network before a database", () => {
  test("passes on questions and answers", async () => {
    const { rows } = await client.query("SELECT repeat('x', 200000) AS text");
    expect(rows[0].text).toHaveLength(200_000);
  });

  test("loses the answer to a COMMIT that took effect", async () => {
    await client.query("BEGIN");
    await client.query("INSERT INTO notes VALUES ('kept')");
    proxy.breakOne("lose the answer", { choice: 0, muteMs: 0 });
    await expect(client.query("COMMIT")).rejects.toThrow();
    expect(await storedNotes()).toBe(1);
  });

  test("cuts a connection with a transaction open, which is taken back", async () => {
    await client.query("BEGIN");
    await client.query("INSERT INTO notes VALUES ('gone')");
    const lost = new Promise((resolve) => client.once("end", resolve));
    proxy.breakOne("cut", { choice: 0, muteMs: 0 });
    await lost;
    expect(await storedNotes()).toBe(0);
  });

  test("mutes a connection for a while, and ends it then", async () => {
    const beganAtMs = performance.now();
    proxy.breakOne("mute", { choice: 0, muteMs: 300 });
    await expect(client.query("SELECT 1")).rejects.toThrow();
    expect(performance.now() - beganAtMs).toBeGreaterThan(290);
    expect(proxy.counts).toEqual({ cut: 0, "lose the answer": 0, mute: 1 });
  });

  test("tells once a transaction has had a statement answered, while it still holds its locks", async () => {
    const calls: string[] = [];
    let statement = "SELECT";
    proxy.onTransaction(() => calls.push(statement));
    for (statement of ["SELECT 1", "BEGIN", "INSERT INTO notes VALUES ('held')", "COMMIT"])
      await client.query(statement);
    expect(calls).toEqual(["INSERT INTO notes VALUES ('held')"]);
  });
});
