import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Pool } from "pg";
import { openDatabase } from "#platform/db/client.js";
import { inOneProcess } from "#worker/sweeps/in-one-process.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const SILENCE_MS = 1_000;

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

/** As of a process that stops at a moment: nothing of it reaches the database from then on, and its sessions stay open. */
async function stoppable(): Promise<{ pool: Pool; stop: () => void }> {
  let hasStopped = false;
  // Never closed: that would wait for the connection, which the server ends.
  const { pool } = openDatabase({ url: db.url, applicationName: "a process that stops", poolSize: 1 });
  const client = await pool.connect();
  const query = (...args: unknown[]): unknown =>
    hasStopped ? new Promise(() => undefined) : (client.query as (...all: unknown[]) => unknown)(...args);
  const stopped = new Proxy(client, {
    get: (of, name) => (name === "query" ? query : Reflect.get(of, name, of)),
  });
  return {
    pool: { connect: () => Promise.resolve(stopped) } as unknown as Pool,
    stop: () => {
      hasStopped = true;
    },
  };
}

const tryIt = (lock: number) =>
  inOneProcess({ pool: db.database.pool, lock, silenceMs: SILENCE_MS }, () => Promise.resolve("done"));

test("work that a stopped process was doing is done by another, though the stopped one keeps its connection", async () => {
  const { pool, stop } = await stoppable();
  await new Promise<void>((begun) => {
    const endless = (): Promise<never> => {
      begun();
      return new Promise(() => undefined);
    };
    inOneProcess({ pool, lock: 41, silenceMs: SILENCE_MS }, endless).catch(() => undefined);
  });
  expect(await tryIt(41)).toBeUndefined();
  stop();
  const giveUpAt = Date.now() + 10 * SILENCE_MS;
  let result: string | undefined;
  while (result === undefined && Date.now() < giveUpAt) {
    await sleep(50);
    result = await tryIt(41);
  }
  expect(result).toBe("done");
});

test("work that takes longer stays with the process that is doing it, and the next one can begin at once", async () => {
  const long = inOneProcess({ pool: db.database.pool, lock: 42, silenceMs: SILENCE_MS }, () =>
    sleep(3 * SILENCE_MS, "long"),
  );
  await sleep(2.5 * SILENCE_MS);
  expect(await tryIt(42)).toBeUndefined();
  expect(await long).toBe("long");
  expect(await tryIt(42)).toBe("done");
  const { rows } = await db.database.pool.query("SHOW idle_session_timeout");
  expect(rows).toEqual([{ idle_session_timeout: "0" }]);
});
