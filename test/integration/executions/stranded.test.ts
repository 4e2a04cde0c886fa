import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { recallStranded } from "#domain/executions/overdue/stranded.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const portalId = 7_001n;
const FAR = new Date("2083-11-30T00:00:00Z");
const STATES = ["QUEUED", "UNCERTAIN", "WATCHING", "DECIDED"];

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
});

afterAll(() => db.drop());

async function dueInMinutes(): Promise<Record<string, number>> {
  const { rows } = await db.database.pool.query<{ callback_id: string; minutes: number }>(
    `SELECT callback_id, round(extract(epoch FROM due_at - now()) / 60)::int AS minutes FROM executions ORDER BY id`,
  );
  return Object.fromEntries(rows.map(({ callback_id: id, minutes }) => [id, minutes]));
}

test("what is due only decades after its hold is due at the end of it, whatever its state, and nothing else is moved", async () => {
  const soon = new Date(Date.now() + 600_000);
  await seedExecutions(db.database, [
    ...STATES.map((state) => ({ portalId, state, dueAt: FAR, callbackId: `over-${state}` })),
    ...STATES.map((state) => ({ portalId, state, dueAt: FAR, callbackId: `held-${state}` })),
    ...STATES.map((state) => ({ portalId, state, dueAt: soon, callbackId: `well-${state}` })),
    { portalId, state: "COMPLETED", dueAt: soon, callbackId: "done" },
  ]);
  await db.database.pool.query(
    `UPDATE executions SET hold_ends_at = now() + CASE WHEN callback_id LIKE 'over-%' THEN interval '-1 day' ELSE interval '1 day' END`,
  );
  expect(await recallStranded(db.database.pool)).toBe(2 * STATES.length);
  expect(await dueInMinutes()).toEqual(
    Object.fromEntries([
      ...STATES.map((state) => [`over-${state}`, 0]),
      ...STATES.map((state) => [`held-${state}`, 24 * 60]),
      ...STATES.map((state) => [`well-${state}`, 10]),
      ["done", 10],
    ]),
  );
  expect(await recallStranded(db.database.pool)).toBe(0);
});
