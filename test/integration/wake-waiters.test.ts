import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { resumePortal, wakeWaiters } from "../../src/executions/resume.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { seedExecutions } from "../support/executions.js";

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
      ...{ portalId, sequenceId: "1", state: "QUEUED", dueAt: new Date(Date.now() + DAY_MS + index) },
      senderChoice: {
        chosen: null,
        passedOver: [{ userId: String(userId), via: "rotation", code: "OVER_CAP", reason: "Full." }],
      },
    })),
  );
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
  await wakeWaiters(db.database.pool, portalId, 7n);
  const [first = -1, second = -1, third = -1] = await dueInSeconds();
  expect([first, third]).toEqual([0, 0]);
  expect(second).toBeGreaterThan(80_000);
});

test.each<[what: string, wake: () => Promise<void>]>([
  ["what concerns all senders", () => wakeWaiters(db.database.pool, portalId)],
  ["a reconnect", () => resumePortal(db.database.pool, portalId)],
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
  await wakeWaiters(db.database.pool, portalId);
  expect(Math.max(...(await dueInSeconds()))).toBeLessThanOrEqual(1);
});
