import type { Database } from "../../db/client.js";

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

interface Row {
  is_total: boolean;
  id: string | null;
  name: string | null;
  enrolled: number;
  enrolled_since: number;
  already_enrolled: number;
  skipped: number;
  failed: number;
  median_ms: number | null;
  p95_ms: number | null;
  replied: number;
  finished: number;
  unenrolled: number;
}

const NAMES: Readonly<Record<ReportGroup, string>> = {
  sequence: `coalesce((SELECT s.name FROM sequences s WHERE s.portal_id = $1 AND s.sequence_id = line.id), line.any_name)`,
  sender: `(SELECT coalesce(nullif(concat_ws(' ', first_name, last_name), ''), email) FROM (
      SELECT first_name, last_name, email, 1 AS rank FROM users WHERE portal_id = $1 AND user_id = line.id::bigint
      UNION ALL
      SELECT first_name, last_name, email, 2 FROM owners WHERE portal_id = $1 AND user_id = line.id::bigint
    ) AS known ORDER BY rank LIMIT 1)`,
  workflow: "NULL::text",
};

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
  // Both are our own constants, never input.
  const { column } = REPORT_GROUPS[group];
  const { rows } = await pool.query<Row>({
    name: `report-by-${group}`,
    text: reportQuery(column, NAMES[group]),
    values: [portalId, since, limit],
  });
  const lines = rows.filter(({ is_total }) => !is_total).map(toLine);
  const total = rows.find(({ is_total }) => is_total);
  return { lines, total: total === undefined ? NOTHING : toLine(total) };
}

const reportQuery = (column: string, name: string): string => `
  WITH decided AS MATERIALIZED (
    SELECT id AS execution_id, ${column}::text AS id, contact_id, sequence_id, sequence_name, enrollment_status, retry_of,
           extract(epoch FROM enrolled_at - accepted_at)::float8 * 1000 AS took_ms
      FROM executions
     WHERE portal_id = $1 AND kind = 'ENROLL' AND decided_at >= $2
  ), retried AS (
    SELECT DISTINCT retry_of AS execution_id FROM decided WHERE retry_of IS NOT NULL AND enrollment_status = 'ENROLLED'
  ), line AS (
    SELECT grouping(decided.id) = 1 AS is_total, decided.id, max(sequence_name) AS any_name,
           count(*) FILTER (WHERE enrollment_status = 'ENROLLED')::int AS enrolled,
           count(*) FILTER (WHERE enrollment_status = 'ALREADY_ENROLLED')::int AS already_enrolled,
           count(*) FILTER (WHERE enrollment_status = 'SKIPPED')::int AS skipped,
           count(*) FILTER (WHERE enrollment_status = 'FAILED')::int AS failed,
           count(retried.execution_id) FILTER (WHERE enrollment_status = 'FAILED')::int AS enrolled_since,
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took_ms)
             FILTER (WHERE enrollment_status = 'ENROLLED') AS took
      FROM decided LEFT JOIN retried USING (execution_id)
     WHERE retry_of IS NULL GROUP BY GROUPING SETS ((decided.id), ())
  ), ended AS (
    SELECT DISTINCT ON (waited.execution_id) d.id, waited.outcome FROM (
      SELECT id AS execution_id, contact_id, outputs->>'outcome' AS outcome,
             coalesce(nullif(outputs->>'sequence_id', ''), sequence_id) AS sequence_id
        FROM executions
       WHERE portal_id = $1 AND kind = 'WAIT_FOR_SEQUENCE_END' AND decided_at >= $2
    ) AS waited
      JOIN decided d ON d.contact_id = waited.contact_id AND d.enrollment_status = 'ENROLLED'
       AND d.execution_id < waited.execution_id
       AND (waited.sequence_id IS NULL OR d.sequence_id = waited.sequence_id)
     ORDER BY waited.execution_id, d.execution_id DESC
  ), endings AS (
    SELECT grouping(id) = 1 AS is_total, id, count(*) FILTER (WHERE outcome = 'REPLIED')::int AS replied,
           count(*) FILTER (WHERE outcome = 'FINISHED')::int AS finished,
           count(*) FILTER (WHERE outcome = 'UNENROLLED')::int AS unenrolled
      FROM ended GROUP BY GROUPING SETS ((id), ())
  )
  SELECT line.is_total, line.id, line.enrolled, line.already_enrolled, line.skipped, line.failed, line.enrolled_since,
         line.took[1] AS median_ms, line.took[2] AS p95_ms, ${name} AS name, coalesce(endings.replied, 0) AS replied,
         coalesce(endings.finished, 0) AS finished, coalesce(endings.unenrolled, 0) AS unenrolled
    FROM line LEFT JOIN endings ON endings.is_total = line.is_total AND endings.id IS NOT DISTINCT FROM line.id
   ORDER BY line.is_total DESC, line.enrolled + line.already_enrolled + line.skipped + line.failed DESC, line.id
   LIMIT $3 + 1`;

function toLine(row: Row): ReportLine {
  return {
    id: row.id,
    name: row.name,
    enrolled: row.enrolled,
    alreadyEnrolled: row.already_enrolled,
    skipped: row.skipped,
    failed: row.failed,
    enrolledSince: row.enrolled_since,
    medianMs: row.median_ms,
    p95Ms: row.p95_ms,
    ends: { replied: row.replied, finished: row.finished, unenrolled: row.unenrolled },
  };
}

const NOTHING: ReportLine = {
  ...{ id: null, name: null, enrolled: 0, alreadyEnrolled: 0, skipped: 0, failed: 0, enrolledSince: 0 },
  ...{ medianMs: null, p95Ms: null, ends: { replied: 0, finished: 0, unenrolled: 0 } },
};
