import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Pool, QueryResult } from "pg";
import { findContact } from "#domain/dry-run/find-contact.js";
import { HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { readCauses } from "#domain/history/attention/causes.js";
import { readHistory, RANGES, type Range } from "#domain/history/outcome-history.js";
import { listSenderLoads } from "#domain/accounts/sender-load.js";
import { readReport, REPORT_GROUPS, type ReportGroup } from "#domain/history/report.js";
import { readReportSummary } from "#domain/history/reports/report-summary.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import {
  PORTAL,
  QUIET,
  FEW,
  type PlanNode,
  rowsRead,
  type Statement,
  toLiteral,
  wholeRowsRead,
} from "../support/query-plans.js";

/** The pages of numbers: what they cost follows from the stretch of time they tell of, not from the years before. */
describe("the settings site's numbers of a year", () => {
  const YEAR = 40_000;
  const SENDERS = 20;
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase({ isFresh: true });
    const { pool } = db.database;
    await pool.query(`ALTER TABLE executions SET (autovacuum_enabled = false)`);
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, deadline_at, contact_id, sequence_id, workflow_id,
              request, sender_user_id, enrollment_status, error_code, enrolled_at, decided_at, outputs)
       SELECT portal, 'ap-year-' || number, CASE WHEN number % 20 = 0 THEN 'WAIT_FOR_SEQUENCE_END' ELSE 'ENROLL' END, 'COMPLETED',
              at, at, (number / 20)::text, (number % 7)::text, (number % 5)::text, '{}', number % $4::int,
              CASE WHEN number % 20 = 0 THEN NULL WHEN number % 10 < 7 THEN 'ENROLLED' ELSE 'FAILED' END,
              CASE WHEN number % 10 >= 7 THEN 'BOUNCED' END, CASE WHEN number % 10 < 7 THEN at END, at,
              CASE WHEN number % 20 = 0 THEN '{"outcome": "REPLIED"}'::jsonb END
         FROM unnest($1::bigint[]) AS portal, generate_series(1, $2::int) AS number,
              LATERAL (SELECT now() - ($2::int - number) * ($3::float8 / $2::int) * interval '1 day' AS at) AS moment`,
      [[PORTAL, QUIET], YEAR, 365, SENDERS],
    );
    await pool.query(
      `INSERT INTO followed_enrollments (portal_id, execution_id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at, looked_at, outcome)
       SELECT portal_id, id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at, now(), 'FINISHED' FROM executions
        WHERE enrollment_status = 'ENROLLED'`,
    );
    await pool.query(`VACUUM ANALYZE executions, followed_enrollments`);
  });

  afterAll(() => db.drop());

  /** Rows of executions, and of what became of them, that the statements of `work` read, planned as they are in the app. */
  async function readBy(
    work: (database: { pool: Pool }) => Promise<unknown>,
    rowsOf: (plan: PlanNode) => number = rowsRead,
  ): Promise<number> {
    const client = await db.database.pool.connect();
    let read = 0;
    let statements = 0;
    async function explain({ text, values = [] }: Statement): Promise<QueryResult> {
      const probe = `probe_${(statements += 1)}`;
      await client.query(`PREPARE ${probe} AS ${text}`);
      const given = values.length === 0 ? "" : `(${values.map(toLiteral).join(", ")})`;
      const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
        `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE ${probe} ${given}`,
      );
      read += rowsOf((rows[0] as { "QUERY PLAN": [{ Plan: PlanNode }] })["QUERY PLAN"][0].Plan);
      await client.query(`DEALLOCATE ${probe}`);
      return client.query(text, [...values]);
    }
    // A pool runs several at once, this one connection one after the other.
    let last: Promise<unknown> = Promise.resolve();
    const explaining = {
      query(asked: string | Statement, values: readonly unknown[] = []): Promise<QueryResult> {
        const statement = typeof asked === "string" ? { text: asked, values } : asked;
        const result = last.then(() => explain(statement));
        last = result.catch(() => undefined);
        return result;
      },
    };
    // pg keeps a named statement's plan for all values from the sixth run on.
    await client.query(`SET plan_cache_mode = force_generic_plan`);
    try {
      await work({ pool: explaining as unknown as Pool });
      return read;
    } finally {
      client.release(true);
    }
  }

  const daysOf = (count: number): number => Math.ceil((YEAR * count) / 365);
  const dayBefore = (count: number): Date => new Date(Date.now() - count * 86_400_000);

  test.each(Object.keys(RANGES) as Range[])("the overview's outcomes of %s", async (range) => {
    const days = { "24h": 1, "7d": 7, "30d": 30 }[range];
    const read = await readBy((database) =>
      readHistory(database, PORTAL, { range, timeZone: "Asia/Kathmandu" }),
    );
    expect(read).toBeGreaterThan(daysOf(days - 1) / 2);
    expect(read).toBeLessThanOrEqual(daysOf(days) + FEW);
  });

  test("what is stored of a contact that HubSpot cannot be asked about, by address or id", async () => {
    const { pool } = db.database;
    await pool.query(
      `UPDATE executions SET contact_email = 'Ann@Year.example', request = '{"properties": {}}'
        WHERE portal_id = $1 AND contact_id = '7'`,
      [PORTAL],
    );
    const gateway = {
      findContact: () => Promise.reject(new HubSpotUnavailable("down")),
    } as unknown as PortalGateway;
    for (const contact of ["ann@year.example", "7"]) {
      const read = await readBy(async (database) => {
        const question = { contact, properties: [] };
        const found = await findContact({ pool: database.pool, gateway }, PORTAL, question);
        expect(found).toMatchObject({ id: "7", email: "Ann@Year.example" });
      });
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThanOrEqual(FEW);
    }
  });

  test("who is near the cap: each sender's last day, and a step to each sender", async () => {
    const read = await readBy((database) => listSenderLoads(database, PORTAL, new Date()));
    expect(read).toBeLessThanOrEqual(daysOf(1) + 4 * SENDERS + FEW);
  });

  test.each(
    (Object.keys(REPORT_GROUPS) as ReportGroup[]).flatMap((group) => [
      [group, 30] as const,
      [group, 90] as const,
    ]),
  )("the report by %s of %i days", async (group, days) => {
    const request = { group, since: dayBefore(days), limit: 100 };
    const read = await readBy((database) => readReport(database, PORTAL, request));
    expect(read).toBeGreaterThan(daysOf(days) / 2);
    // Once for how much was decided, by the index alone, once for what was decided, and once for what became of that; of a week a few days more.
    expect(read).toBeLessThanOrEqual(3 * daysOf(days + 7) + FEW);
    // No row is fetched but those that an admin retried, and one for each sequence without a name.
    expect(await readBy((database) => readReport(database, PORTAL, request), wholeRowsRead)).toBeLessThan(
      FEW,
    );
  });

  test("a report's comparison with the days before: once for both, by the index alone", async () => {
    const bounds = { since: dayBefore(30), until: new Date() };
    const read = await readBy(({ pool }) => readReportSummary(pool, PORTAL, bounds));
    expect(read).toBeLessThanOrEqual(daysOf(60) + FEW);
    expect(await readBy(({ pool }) => readReportSummary(pool, PORTAL, bounds), wholeRowsRead)).toBe(0);
  });

  test("what needs attention: who was not enrolled, by the index alone, and a row for each cause", async () => {
    const bounds = { since: dayBefore(30), until: new Date() };
    const read = await readBy(({ pool }) => readCauses(pool, PORTAL, bounds));
    expect(read).toBeGreaterThan(daysOf(29) / 4);
    expect(read).toBeLessThanOrEqual(daysOf(30) + FEW);
    expect(await readBy(({ pool }) => readCauses(pool, PORTAL, bounds), wholeRowsRead)).toBeLessThan(FEW);
  });
});
