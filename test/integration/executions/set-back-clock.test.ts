import { expect, test } from "@jest/globals";
import { recallSetBack } from "#domain/executions/overdue/set-back.js";
import { acquirePortal } from "#platform/queue/portal-lease.js";
import { limitFutureHeartbeats } from "#platform/queue/future-heartbeats.js";
import { DatabaseClock } from "#worker/sweeps/database-clock.js";
import { database, DUE_STATES, minutesUntilDue, useDueTimes } from "../../support/due-times.js";
import { seedExecutions } from "../../support/executions.js";

const portalId = 7_101n;
const MINUTE_MS = 60_000;

useDueTimes(portalId);

test("after the database's clock was set back by ten minutes, what was due by the old time is due now, whatever its state", async () => {
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS);
  await acquirePortal(database.pool, portalId);
  await seedExecutions(database, [
    ...DUE_STATES.map((state) => ({ portalId, state, dueAt: inMinutes(9), callbackId: `came-${state}` })),
    ...DUE_STATES.map((state) => ({ portalId, state, dueAt: inMinutes(30), callbackId: `later-${state}` })),
    ...DUE_STATES.map((state) => ({ portalId, state, dueAt: inMinutes(-5), callbackId: `due-${state}` })),
    { portalId, state: "UNCERTAIN", dueAt: inMinutes(9), callbackId: "being-read" },
  ]);
  await database.pool.query(`UPDATE executions SET epoch = 1 WHERE callback_id = 'being-read'`);
  await database.pool.query(
    `UPDATE portal_drains SET circuit_open_until = now() + interval '9 minutes', circuit_trips = 1`,
  );

  expect(await recallSetBack(database.pool, 10 * MINUTE_MS)).toBe(DUE_STATES.length);

  expect(await minutesUntilDue()).toEqual(
    Object.fromEntries([
      ...DUE_STATES.map((state) => [`came-${state}`, 0]),
      ...DUE_STATES.map((state) => [`later-${state}`, 30]),
      ...DUE_STATES.map((state) => [`due-${state}`, -5]),
      ["being-read", 9],
    ]),
  );
  const open = await database.pool.query(`SELECT FROM portal_drains WHERE circuit_open_until > now()`);
  expect(open.rowCount).toBe(0);
});

test("a dead owner is found in time, even if its last heartbeat lies in the future of the new clock", async () => {
  const { pool } = database;
  await pool.query(
    `INSERT INTO pgboss.job (name, state, policy, singleton_key, heartbeat_on, heartbeat_seconds)
     VALUES ('drain-one-portal', 'active', 'exclusive', '7101', now() + interval '10 minutes', 10)`,
  );
  await limitFutureHeartbeats(pool);
  const { rows } = await pool.query(`SELECT heartbeat_on <= now() AS is_past FROM pgboss.job`);
  expect(rows).toEqual([{ is_past: true }]);
});

test("a clock that is set back is noticed once, and neither one that is set forward nor a slow answer is", async () => {
  let [momentMs, databaseMs, answerMs] = [1_000, 1_800_000_000_000, 0];
  const clock = new DatabaseClock({
    momentMs: () => momentMs,
    readNow: () => {
      const now = databaseMs;
      momentMs += answerMs;
      databaseMs += answerMs;
      return Promise.resolve(now);
    },
  });
  const pass = (ms: number) => {
    momentMs += ms;
    databaseMs += ms;
  };
  expect(await clock.look()).toBe(0);
  pass(2_000);
  expect(await clock.look()).toBe(0);
  databaseMs -= 600_000;
  pass(2_000);
  expect(await clock.look()).toBe(600_000);
  expect(await clock.look()).toBe(0);
  databaseMs += 600_000;
  expect(await clock.look()).toBe(0);
  answerMs = 9_000;
  expect(await clock.look()).toBe(0);
  answerMs = 0;
  expect(await clock.look()).toBe(0);
});
