import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { PgBoss } from "pg-boss";
import { createLogger } from "#platform/observability/logger.js";
import { deleteFinishedJobs } from "#platform/queue/delete-finished-jobs.js";
import { openDrainQueue, type DrainQueue } from "#platform/queue/drain-queue.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const QUEUE = "drain-one-portal";

let db: TestDatabase;
let queue: DrainQueue | undefined;

beforeEach(async () => {
  db = await createTestDatabase({ isFresh: true });
});

afterEach(async () => {
  await queue?.stop({ graceMs: 0 });
  queue = undefined;
  await db.drop();
});

async function open(): Promise<void> {
  queue = await openDrainQueue({
    databaseUrl: db.url,
    logger: createLogger({ level: "silent" }),
    applicationName: "queue table test",
  });
}

const one = async (sql: string) => (await db.database.pool.query<Record<string, unknown>>(sql)).rows[0];

/** As an earlier release left it. */
async function makeQueue(options: Record<string, unknown>): Promise<void> {
  const old = new PgBoss({ connectionString: db.url, schedule: false, supervise: false });
  await old.start();
  await old.createQueue(QUEUE, options);
  await old.stop({ graceful: false });
}

test.each([["exclusive"], ["stately"]])(
  "a queue that an earlier release made as %s gets the options of this one, and works",
  async (policy) => {
    await makeQueue({ policy, heartbeatSeconds: 20, retryLimit: 3, deleteAfterSeconds: 86_400 });
    await open();
    expect(
      await one(
        `SELECT policy, heartbeat_seconds, retry_limit, deletion_seconds FROM pgboss.queue WHERE name = '${QUEUE}'`,
      ),
    ).toEqual({ policy: "exclusive", heartbeat_seconds: 10, retry_limit: 1_000_000, deletion_seconds: 60 });
    const begun = new Promise<bigint>((resolve) => {
      queue?.work(
        (portalId) => {
          resolve(portalId);
          return Promise.resolve("idle");
        },
        { capacity: 10, hasWork: () => Promise.resolve(false) },
      );
    });
    await queue?.wake([101n]);
    expect(await begun).toBe(101n);
  },
);

async function leaveFinished(count: number): Promise<void> {
  await db.database.pool.query(
    `INSERT INTO pgboss.job (name, state, policy, singleton_key, completed_on, deletion_seconds)
     SELECT '${QUEUE}', 'completed', 'exclusive', i::text, now() - interval '2 minutes', 86400 FROM generate_series(1, $1::int) AS i`,
    [count],
  );
}

async function untilLeft(wanted: readonly string[]): Promise<void> {
  const endsAt = Date.now() + 60_000;
  for (;;) {
    const { keys } =
      (await one(`SELECT array_agg(singleton_key ORDER BY singleton_key) AS keys FROM pgboss.job`)) ?? {};
    const left = (keys ?? []) as string[];
    if (left.length === wanted.length) return expect(left).toEqual(wanted);
    if (Date.now() > endsAt) throw new Error(`${left.length} jobs are left`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("finished jobs that an earlier release left by the ten thousands are deleted, those of now and waiting ones are not", async () => {
  await makeQueue({ policy: "exclusive", deleteAfterSeconds: 86_400 });
  await leaveFinished(30_000);
  await db.database.pool.query(
    `INSERT INTO pgboss.job (name, state, policy, singleton_key, completed_on)
     VALUES ('${QUEUE}', 'completed', 'exclusive', 'now', now()), ('${QUEUE}', 'created', 'exclusive', 'waits', NULL)`,
  );
  await open();
  await untilLeft(["now", "waits"]);
});

test("so are those that pile up while a process runs", async () => {
  const boss = new PgBoss({ connectionString: db.url, schedule: false, supervise: false });
  await boss.start();
  await boss.createQueue(QUEUE, { policy: "exclusive" });
  const stopping = new AbortController();
  const logger = createLogger({ level: "silent" });
  const deleting = deleteFinishedJobs({
    boss,
    queue: QUEUE,
    stopping: stopping.signal,
    logger,
    everyMs: 100,
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await leaveFinished(30_000);
    await untilLeft([]);
  } finally {
    stopping.abort();
    await deleting;
    await boss.stop({ graceful: false });
  }
});
