import type { Database } from "../../db/client.js";
import { tally } from "./tally.js";

/** What a report is broken down by, and the column that says it. */
export const REPORT_GROUPS = {
  sequence: { label: "Sequence", column: "sequence_id" },
  sender: { label: "Sender", column: "sender_user_id" },
  workflow: { label: "Workflow", column: "workflow_id" },
} as const;
export type ReportGroup = keyof typeof REPORT_GROUPS;

export function isReportGroup(value: unknown): value is ReportGroup {
  return typeof value === "string" && Object.hasOwn(REPORT_GROUPS, value);
}

/** One sequence, sender or workflow in a stretch of time. */
export interface ReportLine {
  /** HubSpot's id; null where an execution has none. */
  readonly id: string | null;
  /** Null where it is not known. */
  readonly name: string | null;
  readonly enrolled: number;
  readonly alreadyEnrolled: number;
  readonly skipped: number;
  readonly failed: number;
  /** How many of those not enrolled were enrolled since, by an admin's retry. */
  readonly enrolledSince: number;
  /** From acceptance to the enrollment; null where nobody was enrolled. */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  /** Contacts of whom a “wait for the end” step learnt how their enrollment ended, by how. */
  readonly ends: { readonly replied: number; readonly finished: number; readonly unenrolled: number };
}

export interface Report {
  /** The largest first. */
  readonly lines: readonly ReportLine[];
  /** Of all lines, also those past the limit. */
  readonly total: ReportLine;
}

export interface ReportRequest {
  readonly group: ReportGroup;
  /** What was decided from then on is counted. */
  readonly since: Date;
  /** Lines at most. */
  readonly limit: number;
}

/** Calls of one line with the same end and, where enrolled, the same time. */
export interface CountRow {
  id: string | null;
  status: string | null;
  took_ms: number | null;
  any_name: string | null;
  count: number;
}

export interface EndRow {
  id: string | null;
  outcome: string;
  count: number;
}

/**
 * The report's lines, the largest first, and their total. Each call of a workflow counts once: an admin's retry says of the
 * call whether it was enrolled since. How an enrollment ended is known where the contact then met the step that waits for
 * it: that step's end is counted for the enrollment of the same contact and sequence before it.
 */
export async function readReport(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  { group, since, limit }: ReportRequest,
): Promise<Report> {
  // One of our own constants, never input.
  const { column } = REPORT_GROUPS[group];
  const values = [portalId, since];
  const [counts, retried, ends] = await Promise.all([
    pool.query<CountRow>({ name: `report-by-${group}`, text: COUNTS(column), values }),
    pool.query<{ id: string | null; count: number }>({
      ...{ name: `report-retried-by-${group}`, text: RETRIED(column), values },
    }),
    pool.query<EndRow>({ name: `report-ends-by-${group}`, text: ENDS(column), values }),
  ]);
  const { total, lines } = tally({ counts: counts.rows, retried: retried.rows, ends: ends.rows });
  const shown = lines.sort(bySize).slice(0, limit);
  const names = await readNames(pool, portalId, { group, ids: shown.flatMap(({ id }) => id ?? []) });
  return {
    lines: shown.map((line) => ({ ...line, name: names.get(line.id ?? "") ?? line.name })),
    total,
  };
}

/**
 * Times are told apart as finely as they are shown: by the tenth of a second within a minute, by the second within an
 * hour, else by the minute. So they come counted and need not be sorted; OFFSET keeps the planner from expecting a group
 * for every moment there is, and from sorting after all.
 */
const COUNTS = (column: string): string => `
  SELECT id, status, max(sequence_name COLLATE "C") AS any_name, count(*)::int AS count,
         CASE WHEN seconds < 60 THEN round(seconds * 10) * 100
              WHEN seconds < 3600 THEN round(seconds) * 1000
              ELSE round(seconds / 60) * 60000 END AS took_ms
    FROM (
      SELECT ${column}::text AS id, enrollment_status AS status, sequence_name,
             CASE WHEN enrollment_status = 'ENROLLED' THEN date_part('epoch', enrolled_at - accepted_at) END AS seconds
        FROM executions
       WHERE portal_id = $1 AND kind = 'ENROLL' AND decided_at >= $2 AND retry_of IS NULL OFFSET 0
    ) AS decided
   GROUP BY id, status, took_ms`;

const RETRIED = (column: string): string => `
  SELECT tried.${column}::text AS id, count(*)::int AS count
    FROM (SELECT DISTINCT retry_of FROM executions
           WHERE portal_id = $1 AND retry_of IS NOT NULL AND enrollment_status = 'ENROLLED') AS retry
    JOIN executions AS tried ON tried.portal_id = $1 AND tried.id = retry.retry_of
   WHERE tried.decided_at >= $2 AND tried.enrollment_status = 'FAILED'
   GROUP BY 1`;

/**
 * The last enrollment before the wait is the one that is waited for. Waits are few among the executions: they are found in
 * the index by time alone, and then read one by one (LATERAL), not with the whole table.
 */
const ENDS = (column: string): string => `
  SELECT id, outcome, count(*)::int AS count FROM (
    SELECT DISTINCT ON (waited.execution_id) d.${column}::text AS id, waited.outcome FROM (
      SELECT id FROM executions
       WHERE portal_id = $1 AND kind = 'WAIT_FOR_SEQUENCE_END' AND decided_at >= $2 OFFSET 0
    ) AS wait
     CROSS JOIN LATERAL (
      SELECT w.id AS execution_id, w.contact_id, w.outputs->>'outcome' AS outcome,
             coalesce(nullif(w.outputs->>'sequence_id', ''), w.sequence_id) AS sequence_id
        FROM executions w WHERE w.portal_id = $1 AND w.id = wait.id OFFSET 0
    ) AS waited
     CROSS JOIN LATERAL (
      SELECT * FROM executions e WHERE e.portal_id = $1 AND e.contact_id = waited.contact_id
         AND e.enrollment_status = 'ENROLLED' AND e.decided_at >= $2 AND e.id < waited.execution_id
         AND (waited.sequence_id IS NULL OR e.sequence_id = waited.sequence_id) OFFSET 0
    ) AS d
     WHERE waited.outcome IN ('REPLIED', 'FINISHED', 'UNENROLLED')
     ORDER BY waited.execution_id, d.id DESC
  ) AS ended GROUP BY 1, 2`;

const sizeOf = ({ enrolled, alreadyEnrolled, skipped, failed }: ReportLine): number =>
  enrolled + alreadyEnrolled + skipped + failed;

function bySize(left: ReportLine, right: ReportLine): number {
  return (
    sizeOf(right) - sizeOf(left) || (left.id ?? "").localeCompare(right.id ?? "", "en", { numeric: true })
  );
}

const NAMES: Readonly<Record<Exclude<ReportGroup, "workflow">, string>> = {
  sequence: `SELECT sequence_id AS id, name FROM sequences WHERE portal_id = $1 AND sequence_id = ANY($2::text[])`,
  sender: `SELECT DISTINCT ON (user_id) user_id AS id, coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email) AS name
    FROM (
      SELECT user_id, first_name, last_name, email, 1 AS rank FROM users WHERE portal_id = $1 AND user_id = ANY($2::bigint[])
      UNION ALL
      SELECT user_id, first_name, last_name, email, 2 FROM owners WHERE portal_id = $1 AND user_id = ANY($2::bigint[])
    ) AS known ORDER BY user_id, rank`,
};

/** Workflows have no names with us. */
async function readNames(
  pool: Database["pool"],
  portalId: bigint,
  { group, ids }: { group: ReportGroup; ids: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  if (group === "workflow" || ids.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; name: string | null }>(NAMES[group], [portalId, ids]);
  return new Map(rows.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])));
}
