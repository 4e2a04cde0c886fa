import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { expirePastDeadline } from "#domain/executions/overdue/expire.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const PORTAL = 4_711n;

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  const { pool } = db.database;
  await pool.query(`TRUNCATE executions, portal_drains, portal_settings, portals CASCADE`);
  await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [PORTAL]);
});

/** One contact past its deadline, in an account that a turn has just read as paused. */
async function expireAsPaused(pausedAt: string): Promise<Record<string, unknown> | undefined> {
  const { pool } = db.database;
  await pool.query(`INSERT INTO portal_settings (portal_id, paused_at) VALUES ($1, ${pausedAt})`, [PORTAL]);
  await seedExecutions(db.database, [
    { portalId: PORTAL, state: "QUEUED", deadlineAt: new Date(Date.now() - 1_000) },
  ]);
  const { epoch } = await acquirePortal(pool, PORTAL);
  await expirePastDeadline({ pool, portalId: PORTAL, epoch, leaseCte: LEASE_CTE }, "PORTAL_PAUSED");
  const { rows } = await pool.query<Record<string, unknown>>(`SELECT state, error_code FROM executions`);
  return rows[0];
}

test("a contact past its deadline in a paused account is given up, and its workflow is told why", async () => {
  expect(await expireAsPaused("now()")).toEqual({ state: "DECIDED", error_code: "PORTAL_PAUSED" });
});

test("an account that was resumed a moment ago is not called paused: the next claim decides", async () => {
  expect(await expireAsPaused("NULL")).toEqual({ state: "QUEUED", error_code: null });
});
