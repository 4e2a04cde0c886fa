import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { query } from "../../support/sql.js";
import { startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;

beforeAll(async () => {
  running = await startRunningApp();
});

afterAll(() => running.close());

interface Answer {
  readonly status: number;
  readonly body: { checks: Record<string, string>; reasons?: Record<string, string> };
}

async function ready(): Promise<Answer> {
  const response = await fetch(`${running.publicUrl}/readyz`);
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the awaited state did not come");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isAlive = async () => (await fetch(`${running.publicUrl}/healthz`)).status === 200;

/** Every session of the app is made again, so that it begins as the database says. */
const endSessions = () =>
  query(
    running.db.url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );

test("a process whose database is read-only is alive and not ready, and says why; then ready again", async () => {
  expect((await ready()).status).toBe(200);
  const name = new URL(running.db.url).pathname.slice(1);
  await query(running.db.url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await endSessions();
  await until(async () => (await ready()).body.reasons?.["database"]?.includes("read-only") === true);
  expect((await ready()).status).toBe(503);
  expect(await isAlive()).toBe(true);
  await query(
    running.db.url,
    `SET TRANSACTION READ WRITE; ALTER DATABASE ${name} RESET default_transaction_read_only`,
  );
  await endSessions();
  await until(async () => (await ready()).status === 200);
});

test("a process whose database lets nobody at the executions is not ready within two seconds, and alive", async () => {
  const holder = await running.db.database.pool.connect();
  try {
    await holder.query("BEGIN; LOCK TABLE executions IN ACCESS EXCLUSIVE MODE");
    const startedAt = performance.now();
    const answer = await ready();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(answer).toMatchObject({ status: 503, body: { checks: { database: "failing" } } });
    expect(answer.body.reasons?.["database"]).toMatch(/does not answer within 1 s/);
    expect(await isAlive()).toBe(true);
  } finally {
    await holder.query("ROLLBACK");
    holder.release();
  }
  await until(async () => (await ready()).status === 200);
});

test("the metrics tell how many jobs the queue's table holds", async () => {
  const jobs = async () =>
    /^sequence_enroller_queue_jobs (\d+)$/m.exec(
      await (await fetch(`${running.publicUrl}/metrics`)).text(),
    )?.[1];
  await query(
    running.db.url,
    `INSERT INTO pgboss.job (name, state, policy, singleton_key, completed_on)
     SELECT 'drain-one-portal', 'completed', 'exclusive', i::text, now() FROM generate_series(1, 7) AS i`,
  );
  await until(async () => Number(await jobs()) >= 7);
});
