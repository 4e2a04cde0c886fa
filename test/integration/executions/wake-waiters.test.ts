import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { resumePortal, wakeWaiters } from "#domain/executions/resume.js";
import { toTheEnd, type Slices } from "#domain/executions/slices.js";
import { UnfinishedChanges } from "#domain/executions/unfinished.js";
import { claimDue, type Ownership } from "#domain/executions/claim.js";
import { writeFindings, type Finding } from "#domain/executions/write-back.js";
import { createLogger } from "#platform/observability/logger.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const DAY_MS = 86_400_000;
let db: TestDatabase;
let portalId = 4_000n;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

/** Contacts that wait for a sender each, by who was passed over for them; the first for the shortest time. */
async function seedWaiters(passedOver: readonly bigint[]): Promise<void> {
  portalId += 1n;
  await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
    portalId,
  ]);
  await seedExecutions(
    db.database,
    passedOver.map((userId, index) => ({
      portalId,
      sequenceId: "1",
      state: "QUEUED",
      dueAt: new Date(Date.now() + DAY_MS + index),
      senderChoice: {
        chosen: null,
        passedOver: [{ userId: String(userId), via: "rotation", code: "OVER_CAP", reason: "Full." }],
      },
    })),
  );
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}

/** Whole seconds until each is due, in the order they were seeded. */
async function dueInSeconds(): Promise<number[]> {
  const { rows } = await db.database.pool.query<{ s: number }>(
    `SELECT greatest(0, ceil(extract(epoch FROM due_at - now())))::int AS s FROM executions WHERE portal_id = $1 ORDER BY id`,
    [portalId],
  );
  return rows.map(({ s }) => s);
}

test("the settings of a sender wake whom that sender was considered for, and nobody else", async () => {
  await seedWaiters([7n, 8n, 7n]);
  await toTheEnd(wakeWaiters(db.database.pool, portalId, 7n));
  const [first = -1, second = -1, third = -1] = await dueInSeconds();
  expect([first, third]).toEqual([0, 0]);
  expect(second).toBeGreaterThan(80_000);
});

test.each<[what: string, wake: () => Promise<void>]>([
  ["what concerns all senders", () => toTheEnd(wakeWaiters(db.database.pool, portalId))],
  ["a reconnect", () => toTheEnd(resumePortal(db.database.pool, portalId))],
])("those woken by %s look again twenty a second, in the order they wait in", async (_what, wake) => {
  await seedWaiters(Array.from({ length: 50 }, () => 7n));
  await wake();
  const due = await dueInSeconds();
  expect(due.slice(0, 20)).toEqual(Array(20).fill(0));
  expect(new Set(due.slice(20, 40))).toEqual(new Set([1]));
  expect(new Set(due.slice(40))).toEqual(new Set([2]));
});

test("nobody is made to wait longer by being woken", async () => {
  await seedWaiters(Array.from({ length: 45 }, () => 7n));
  await db.database.pool.query(
    `UPDATE executions SET due_at = now() + interval '500 ms' WHERE portal_id = $1`,
    [portalId],
  );
  await toTheEnd(wakeWaiters(db.database.pool, portalId));
  expect(Math.max(...(await dueInSeconds()))).toBeLessThanOrEqual(1);
});

describe("a change that concerns more waiting contacts than a page can wait for", () => {
  const MANY = 4_500;
  const woken: bigint[] = [];
  const log: { msg?: string }[] = [];

  function open(): UnfinishedChanges {
    const logger = createLogger({
      level: "warn",
      destination: { write: (line) => void log.push(JSON.parse(line)) },
    });
    return new UnfinishedChanges({ wake: (id) => void woken.push(id), logger, tryAgainMs: 10 });
  }

  beforeEach(async () => {
    woken.length = 0;
    log.length = 0;
    portalId += 1n;
    const { pool } = db.database;
    await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, request, sender_choice)
       SELECT $1, i::text, 'ENROLL', 'QUEUED', now() + interval '1 day', now() + interval '6 days', i::text, '{}', '{"chosen":null}'
         FROM generate_series(1, $2::int) AS i`,
      [portalId, MANY],
    );
  });

  const stillWaiting = async (): Promise<number> =>
    (
      await db.database.pool.query(
        `SELECT FROM executions WHERE portal_id = $1 AND due_at > now() + interval '1 hour'`,
        [portalId],
      )
    ).rowCount ?? 0;

  test("is answered after the first two thousand, and goes on", async () => {
    const rest = await wakeWaiters(db.database.pool, portalId)();
    expect(await stillWaiting()).toBe(MANY - 2_000);
    const unfinished = open();
    unfinished.add(portalId, rest as Slices);
    await until(async () => (await stillWaiting()) === 0);
    await unfinished.stop();
    expect(woken).toEqual([portalId, portalId]);
    expect(log).toEqual([]);
  });

  test("continues after a statement that failed", async () => {
    const whole = wakeWaiters(db.database.pool, portalId);
    let failures = 3;
    const unfinished = open();
    unfinished.add(portalId, () => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new Error("the database restarts")) : whole();
    });
    await until(async () => (await stillWaiting()) === 0);
    await unfinished.stop();
    expect(log).toEqual([]);
  });

  test("is left, and reported, when the process stops", async () => {
    const unfinished = open();
    unfinished.add(portalId, wakeWaiters(db.database.pool, portalId));
    await unfinished.stop();
    expect(await stillWaiting()).toBe(MANY - 2_000);
    expect(log).toMatchObject([
      { portalId: String(portalId), msg: expect.stringContaining("they check again at their own time") },
    ]);
  });
});

describe("a change while a contact is being judged by what applied before", () => {
  const pool = () => db.database.pool;

  /** A contact that an owner has claimed, and when it read who may send. */
  async function judging(): Promise<{ owner: Ownership; id: bigint; policyReadAt: Date }> {
    portalId += 1n;
    await seedExecutions(db.database, [{ portalId, sequenceId: "1", dueAt: new Date(Date.now() - 1_000) }]);
    const { epoch } = await acquirePortal(pool(), portalId);
    const owner: Ownership = { pool: pool(), portalId, epoch, leaseCte: LEASE_CTE };
    const [claimed] = await claimDue(owner, 1);
    const { rows } = await pool().query<{ now: Date }>("SELECT now()");
    return { owner, id: claimed?.id ?? 0n, policyReadAt: rows[0]?.now ?? new Date() };
  }

  const waits = (id: bigint, policyReadAt: Date): Finding => ({
    id,
    from: "ATTEMPTING",
    result: { to: "QUEUED", isWait: true, delayMs: DAY_MS, problem: "At the cap.", policyReadAt },
  });

  test("is not missed: it is looked at again as soon as its wait is written", async () => {
    const { owner, id, policyReadAt } = await judging();
    await toTheEnd(wakeWaiters(pool(), portalId));
    expect(await writeFindings(owner, [waits(id, policyReadAt)])).toBe(1);
    expect(await dueInSeconds()).toEqual([0]);
  });

  test("leaves one that was judged after it waiting", async () => {
    const { owner, id } = await judging();
    await toTheEnd(wakeWaiters(pool(), portalId));
    await writeFindings(owner, [waits(id, new Date(Date.now() + 1_000))]);
    expect((await dueInSeconds())[0]).toBeGreaterThan(80_000);
  });
});

test("a contact that a change has made due is judged by what was read after it", async () => {
  portalId += 1n;
  await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
    portalId,
  ]);
  const owner: Ownership = { pool: db.database.pool, portalId, epoch: 1n, leaseCte: LEASE_CTE };
  const senders = new SenderSelection({ owner });
  const cap = async (dueAt: Date) => {
    const call = { acceptedAt: new Date(0), dueAt, request: { senderMode: "contact_owner" } as const };
    return (await senders.policy.of(call)).portal.senders.get(7n)?.dailyCap;
  };
  const save = (dailyCap: number) =>
    db.database.pool.query(
      `INSERT INTO senders (portal_id, user_id, daily_cap, window_days) VALUES ($1, 7, $2, '{}')
           ON CONFLICT (portal_id, user_id) DO UPDATE SET daily_cap = $2, version = senders.version + 1, updated_at = now()`,
      [portalId, dailyCap],
    );
  await save(1);
  expect(await cap(new Date(0))).toBe(1);
  await save(50);
  expect(await cap(new Date(Date.now() + 5))).toBe(50);
});
