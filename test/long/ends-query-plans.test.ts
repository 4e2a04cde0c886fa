import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { followNew } from "#domain/ends/follow-new.js";
import {
  readOpenEnrollments,
  writeEnrollmentLooks,
  type EnrollmentLook,
  type FollowedEnrollment,
} from "#domain/ends/open-enrollments.js";
import { readCourse, readEnds } from "#domain/ends/known-ends.js";
import type { Ownership } from "#domain/executions/claim.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { costOf, FEW, LOADED_AT_ONCE, PORTAL, ROWS } from "../support/query-plans.js";

/** Enrollments decided last, a second each, that nobody follows yet. */
const NEW = 30;

describe.each([
  ["with statistics of now", true],
  ["with statistics from before there were any", false],
])("however many enrollments are followed, looks read no more than they look at, %s", (_, isAnalyzed) => {
  let db: TestDatabase;
  let epoch: bigint;

  beforeAll(async () => {
    db = await createTestDatabase({ isFresh: true });
    const { pool } = db.database;
    ({ epoch } = await acquirePortal(pool, PORTAL));
    await pool.query(`ALTER TABLE executions SET (autovacuum_enabled = false)`);
    await pool.query(`ALTER TABLE followed_enrollments SET (autovacuum_enabled = false)`);
    await pool.query(
      `INSERT INTO portals (portal_id, status) SELECT generate_series(7001, 7200), 'CONNECTED'`,
    );
    if (!isAnalyzed) await pool.query(`ANALYZE`);
    for (let from = 1; from <= ROWS; from += LOADED_AT_ONCE) await loadFollowed(from);
    await pool.query(
      `INSERT INTO follow_progress (portal_id, followed_to) VALUES ($1, now() - interval '1 minute')`,
      [PORTAL],
    );
    if (isAnalyzed) await pool.query(`ANALYZE`);
  }, 300_000);

  afterAll(() => db.drop());

  /** One in ten is still open, and due since. */
  async function loadFollowed(from: number): Promise<void> {
    await db.database.pool.query(
      `WITH stored AS (
         INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, due_at, deadline_at, contact_id, sequence_id, request,
                enrollment_status, enrolled_at, decided_at)
         SELECT $1, 'ap-followed-' || number, 'ENROLL', 'COMPLETED', at, at, at, number::text, '2', '{}', 'ENROLLED', at, at
           FROM generate_series($2::int, $3::int) AS number, LATERAL (SELECT now() - ($4::int - number) * interval '1 second' AS at) AS moment
         RETURNING *
       )
       INSERT INTO followed_enrollments (portal_id, execution_id, sequence_id, decided_at, enrolled_at, next_look_at, looked_at, outcome, ended_at, noted_at)
       SELECT portal_id, id, sequence_id, decided_at, enrolled_at, CASE WHEN id % 10 = 0 THEN now() END, now(),
              CASE WHEN id % 10 > 0 THEN 'FINISHED' END, CASE WHEN id % 10 > 0 THEN now() END, CASE WHEN id % 10 > 0 THEN now() END
         FROM stored WHERE contact_id::int <= $4::int - $5::int`,
      [PORTAL, from, Math.min(ROWS, from + LOADED_AT_ONCE - 1), ROWS, NEW],
    );
  }

  const cost = async (work: (owner: Ownership) => Promise<unknown>): Promise<number> =>
    (await costOf(db.database.pool, work, { portalId: PORTAL, epoch })).read;

  test("finding those that are due, and those of contacts that are read anyway", async () => {
    const contactIds = Array.from({ length: 50 }, (__, index) => String(10 * index + 10));
    const read = await cost(async (owner) => {
      const { enrollments } = await readOpenEnrollments(owner, { contactIds, limit: 100 });
      expect(enrollments.length).toBeGreaterThanOrEqual(100);
    });
    expect(read).toBeLessThanOrEqual(4 * FEW);
  });

  test("writing what looks found, ends among it", async () => {
    const { pool } = db.database;
    const owner = { pool, portalId: PORTAL, epoch, leaseCte: LEASE_CTE };
    const { enrollments } = await readOpenEnrollments(owner, { contactIds: [], limit: 100 });
    expect(enrollments).toHaveLength(100);
    const read = await cost((explained) =>
      writeEnrollmentLooks(explained, enrollments.map(lookAt), { restMs: 1_000 }),
    );
    expect(read).toBeLessThanOrEqual(2 * FEW);
  });

  test("telling ends of a page of enrollments, and the course of one", async () => {
    const { rows } = await db.database.pool.query<{ id: string }>(`SELECT id FROM executions LIMIT 100`);
    const ids = rows.map(({ id }) => BigInt(id));
    const read = await cost(async ({ pool }) => {
      await readEnds(pool, PORTAL, ids);
      await readCourse(pool, PORTAL, ids[0] ?? 0n);
    });
    expect(read).toBeLessThanOrEqual(FEW);
  });

  test("following what was decided since", async () => {
    const read = await cost(async ({ pool }) => {
      // EXPLAIN has followed them: all there are.
      expect(await followNew(pool)).toEqual({ followed: 0, isMoreLeft: false });
    });
    expect(read).toBeGreaterThanOrEqual(NEW);
    expect(read).toBeLessThanOrEqual(3 * FEW);
  });
});

/** Every other one has ended. */
function lookAt(enrollment: FollowedEnrollment, index: number): EnrollmentLook {
  const stretch = { from: enrollment.enrolledAt };
  const at = new Date();
  const judged =
    index % 2 === 0
      ? ({ kind: "ended", end: { at, outcome: "FINISHED" }, stretch } as const)
      : ({ kind: "open", nextLookAt: at, stretch } as const);
  return { enrollment, judged, engagement: undefined };
}
