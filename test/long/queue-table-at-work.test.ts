import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createLogger } from "#platform/observability/logger.js";
import { openDrainQueue, type DrainQueue } from "#platform/queue/drain-queue.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

/** Jobs are deleted every minute; pg-boss looks whether it is time every two seconds. */
const DELETED_WITHIN_MS = 100_000;

let db: TestDatabase;
let queue: DrainQueue;

beforeAll(async () => {
  db = await createTestDatabase({ isFresh: true });
  queue = await openDrainQueue({
    databaseUrl: db.url,
    logger: createLogger({ level: "silent" }),
    applicationName: "queue table at work",
  });
});

afterAll(async () => {
  await queue.stop({ graceMs: 0 });
  await db.drop();
});

async function keysLeft(): Promise<string[]> {
  const { rows } = await db.database.pool.query<{ key: string }>(
    `SELECT singleton_key AS key FROM pgboss.job ORDER BY singleton_key`,
  );
  return rows.map(({ key }) => key);
}

async function putJob(key: string, state: "completed" | "created"): Promise<void> {
  const endedAt = state === "completed" ? "now() - interval '1 minute'" : "NULL";
  await db.database.pool.query(
    `INSERT INTO pgboss.job (name, state, policy, singleton_key, completed_on, deletion_seconds)
     VALUES ('drain-one-portal', '${state}', 'exclusive', '${key}', ${endedAt}, 30)`,
  );
}

async function untilGone(key: string): Promise<void> {
  const endsAt = Date.now() + DELETED_WITHIN_MS;
  while ((await keysLeft()).includes(key)) {
    if (Date.now() > endsAt) throw new Error(`${key} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

test(
  "finished turns leave the queue's table minute by minute while a process runs, and waiting ones stay",
  async () => {
    await putJob("waits", "created");
    await putJob("ended", "completed");
    await untilGone("ended");
    // The first round comes with the start, whatever the interval is.
    await putJob("ended later", "completed");
    await untilGone("ended later");
    expect(await keysLeft()).toEqual(["waits"]);
  },
  2 * DELETED_WITHIN_MS + 20_000,
);
