import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

let db: TestDatabase;
const [LATE, IN_TIME] = [71n, 72n];

/** Enough that a portal rests for seconds after a check. */
const ROWS = 5_000;

beforeAll(async () => {
  db = await createTestDatabase();
  const minuteAgo = new Date(Date.now() - 60_000);
  for (const portalId of [LATE, IN_TIME]) {
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
      portalId,
    ]);
    const rows = Array.from({ length: ROWS }, () => ({ portalId }));
    await seedExecutions(db.database, rows);
  }
  await seedExecutions(db.database, [{ portalId: LATE, deadlineAt: minuteAgo }]);
});

afterAll(() => db.drop());

test("what the clock found past its time is found by the turn it wakes, once, though the portal rests", async () => {
  const looks = new OverdueLooks(db.database.pool);
  expect(await looks.among([LATE, IN_TIME])).toEqual([LATE]);
  expect(await looks.isOverdue(LATE)).toBe(true);
  expect(await looks.isOverdue(LATE)).toBe(false);
  expect(await looks.isOverdue(IN_TIME)).toBe(false);
});

test("a portal that a turn has checked is not read again by the clock while it rests", async () => {
  const { pool } = db.database;
  const looks = new OverdueLooks(pool);
  expect(await looks.isOverdue(IN_TIME)).toBe(false);
  await seedExecutions(db.database, [{ portalId: IN_TIME, deadlineAt: new Date(Date.now() - 60_000) }]);
  expect(await looks.among([IN_TIME])).toEqual([]);
});
