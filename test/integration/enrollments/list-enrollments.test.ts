import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ChangeFence } from "#domain/enrollments/change-fence.js";
import type { Enrollment } from "#domain/enrollments/enrollment.js";
import type { EnrollmentFilter } from "#domain/enrollments/enrollment-filter.js";
import { ENROLLMENT_STATES } from "#domain/enrollments/enrollment-state.js";
import { listEnrollments } from "#domain/enrollments/list-enrollments.js";
import {
  ENROLLMENT_SORTS,
  readPlace,
  writePlace,
  type EnrollmentSort,
  type ListPlace,
} from "#domain/enrollments/list-place.js";
import { readEnrollments } from "#domain/enrollments/read-enrollments.js";
import { untilBehind } from "../../support/change-fence.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 7_201n;
const ROWS = 400;
const DAY_MS = 86_400_000;
const START = Date.parse("2026-11-01T00:00:00Z");
let db: TestDatabase;
let all: Enrollment[];
const fence = new ChangeFence();

/** Rows of every state, of two accounts, whose columns take few values, so that filters match some. */
beforeAll(async () => {
  db = await createTestDatabase();
  const { pool } = db.database;
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, epoch, accepted_at, due_at, deadline_at, contact_id, contact_email,
       sequence_id, sender_user_id, workflow_id, import_id, source, reference, request, enrollment_status, error_code, error_message, decided_at)
     SELECT CASE WHEN n % 9 = 0 THEN $1::bigint + 1 ELSE $1::bigint END, 'list-' || n, CASE WHEN n % 11 = 0 THEN 'CHECK_ENROLLMENT' ELSE 'ENROLL' END,
            CASE WHEN NOT is_open THEN 'COMPLETED' WHEN n % 3 = 0 THEN 'ATTEMPTING' WHEN n % 3 = 1 THEN 'WATCHING' ELSE 'QUEUED' END,
            CASE WHEN is_open AND n % 3 = 0 THEN 1 END,
            $2::timestamptz + n * interval '1 hour', now(), now() + interval '1 day', (n % 17)::text, 'P' || n % 13 || '@Lead.example',
            (n % 5)::text, CASE WHEN n % 4 > 0 THEN n % 4 END, (n % 3)::text, CASE WHEN n % 6 = 0 THEN 9 END,
            (ARRAY['workflow', 'api', 'import', 'retry'])[n % 4 + 1], CASE WHEN n % 8 = 0 THEN 'order-' || n % 3 END, '{}',
            CASE WHEN NOT is_open THEN status END, CASE WHEN status = 'FAILED' AND NOT is_open THEN (ARRAY['CANCELLED', 'BOUNCED'])[n % 2 + 1] END, '',
            CASE WHEN NOT is_open THEN now() END
       FROM (SELECT n, n % 7 < 2 AS is_open, (ARRAY['ENROLLED', 'FAILED', 'SKIPPED', 'ALREADY_ENROLLED'])[n / 7 % 4 + 1] AS status
               FROM generate_series(1, $3::int) AS n) AS row`,
    [PORTAL, new Date(START), ROWS],
  );
  // Some changed again, in another order.
  await pool.query(
    `UPDATE executions SET sequence_name = 'Named' WHERE id IN (SELECT id FROM executions WHERE id % 10 = 3 ORDER BY id DESC)`,
  );
  const { rows } = await pool.query<{ id: string }>(`SELECT id FROM executions`);
  const found = await readEnrollments(
    pool,
    PORTAL,
    rows.map(({ id }) => BigInt(id)),
  );
  all = [...found.values()];
  await untilBehind(fence, pool);
});

afterAll(() => db.drop());

/** The list as somebody would write it who has all rows in memory. */
function naive(filter: EnrollmentFilter, sort: EnrollmentSort): string[] {
  const same = (wanted: string | undefined, value: string | null | undefined): boolean =>
    wanted === undefined || wanted === value;
  const matches = all.filter(
    (row) =>
      same(filter.contactId, row.contact.id) &&
      same(filter.email?.toLowerCase(), row.contact.email?.toLowerCase()) &&
      same(filter.sequenceId, row.sequence?.id) &&
      same(filter.senderUserId, row.sender?.userId) &&
      same(filter.reason, row.reason?.code) &&
      same(filter.workflowId, row.workflowId) &&
      same(filter.importId, row.importId) &&
      same(filter.source, row.source) &&
      same(filter.reference, row.reference) &&
      (filter.status?.includes(row.status) ?? true) &&
      (filter.createdAfter === undefined || row.createdAt > filter.createdAfter.toISOString()) &&
      (filter.createdBefore === undefined || row.createdAt < filter.createdBefore.toISOString()) &&
      (filter.updatedAfter === undefined || row.updatedAt > filter.updatedAfter.toISOString()),
  );
  const order = (one: Enrollment, other: Enrollment): number =>
    sort === "updatedAt"
      ? one.updatedAt.localeCompare(other.updatedAt) || Number(one.id) - Number(other.id)
      : Number(other.id) - Number(one.id);
  return matches.toSorted(order).map(({ id }) => id);
}

/** All pages, each begun by what a caller gives back as text. */
async function listAll(filter: EnrollmentFilter, sort: EnrollmentSort, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: ListPlace | undefined;
  do {
    const page = await listEnrollments({ pool: db.database.pool, fence }, PORTAL, {
      filter,
      sort,
      limit,
      after,
    });
    expect(page.enrollments.length).toBeLessThanOrEqual(limit);
    ids.push(...page.enrollments.map(({ id }) => id));
    after = page.next && readPlace(writePlace(page.next), sort);
    expect(after).toEqual(page.next);
  } while (after !== undefined);
  return ids;
}

const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 3 }).chain((some) => fc.constantFrom(some, undefined, undefined));
const digits = (most: number) => fc.integer({ min: 0, max: most }).map(String);
const moment = fc.integer({ min: 0, max: ROWS }).map((hours) => new Date(START + hours * (DAY_MS / 24)));

const filters: fc.Arbitrary<EnrollmentFilter> = fc.record({
  contactId: rarely(digits(17)),
  email: rarely(digits(13).map((n) => `p${n}@LEAD.example`)),
  sequenceId: rarely(digits(5)),
  senderUserId: rarely(digits(4)),
  status: rarely(fc.subarray([...ENROLLMENT_STATES], { minLength: 1 })),
  reason: rarely(fc.constantFrom("CANCELLED", "BOUNCED", "BLOCKED")),
  workflowId: rarely(digits(3)),
  importId: rarely(fc.constantFrom("9", "10")),
  source: rarely(fc.constantFrom("workflow", "api", "import", "retry")),
  reference: rarely(fc.constantFrom("order-0", "order-1", "order")),
  createdAfter: rarely(moment),
  createdBefore: rarely(moment),
  updatedAfter: rarely(fc.nat({ max: ROWS }).map((n) => new Date(all[n % all.length]?.updatedAt ?? 0))),
});

test("each filter, sort and page size lists what a naive search over all rows does", async () => {
  await fc.assert(
    fc.asyncProperty(
      filters,
      fc.constantFrom(...ENROLLMENT_SORTS),
      fc.integer({ min: 1, max: 200 }),
      async (filter, sort, limit) => {
        expect(await listAll(filter, sort, Math.max(limit, 15))).toEqual(naive(filter, sort));
      },
    ),
    { numRuns: 60 },
  );
});

test.each(["", "x", "c.", "c.1.2", "u.1", `c.${"9".repeat(30)}`, "u.99999999999999999.1"])(
  "a place that no list has given out is none: %s",
  (plain) => {
    const text = Buffer.from(plain).toString("base64url");
    for (const sort of ENROLLMENT_SORTS) expect(readPlace(text, sort)).toBeUndefined();
  },
);

test("a place in one order is invalid in the other", () => {
  expect(readPlace(writePlace({ id: 7n }), "updatedAt")).toBeUndefined();
  expect(readPlace(writePlace({ id: 7n, updatedAt: new Date(5) }), "-createdAt")).toBeUndefined();
});
