import type { Database } from "#platform/db/client.js";
import { readEndsByLine } from "./report-ends.js";
import {
  NOTHING,
  restOf,
  toLine,
  type CountRow,
  type KnownOfLines,
  type ReportLine,
  type RetriedRow,
} from "./report-line.js";
import { readLineNames } from "./reports/read-line-names.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { weeksBetween, type Week } from "#platform/time/zoned-day.js";

/** What a report is grouped by, and the SQL that says to which line an execution belongs. Weeks are `$5`: when each begins. */
export const REPORT_GROUPS = {
  sequence: { label: "Sequence", line: "coalesce(sequence_id, '')" },
  sender: { label: "Sender", line: "coalesce(sender_user_id::text, '')" },
  workflow: { label: "Workflow", line: "coalesce(workflow_id, '')" },
  week: { label: "Week", line: "width_bucket(decided_at, $5::timestamptz[])::text" },
} as const;
export type ReportGroup = keyof typeof REPORT_GROUPS;

export function isReportGroup(value: unknown): value is ReportGroup {
  return typeof value === "string" && Object.hasOwn(REPORT_GROUPS, value);
}

export interface Report {
  /** The largest first; weeks in their order, all of them. */
  readonly lines: readonly ReportLine[];
  /** Lines past the limit: how many, and their sum. Undefined if there are none. */
  readonly rest: { readonly count: number; readonly line: ReportLine } | undefined;
  /** Of all lines, including those past the limit. */
  readonly total: ReportLine;
  /** What was decided from then on is counted: later than requested if more was decided than is counted. */
  readonly since: Date;
}

export interface ReportRequest {
  readonly group: ReportGroup;
  /** Everything decided since is counted. */
  readonly since: Date;
  /** Nothing decided from then on is counted; by default everything is. */
  readonly until?: Date | undefined;
  /** Maximum of lines. */
  readonly limit: number;
  /** The maximum number of executions, the newest first; by default half a million. */
  readonly mostCounted?: number;
  /** By which weeks are told, up to `now`. By default UTC's. */
  readonly calendar?: { readonly timeZone: string | null; readonly now: Date };
}

/** Later than any decision. */
const NO_END = new Date("9999-01-01T00:00:00Z");

/** Reading them takes a second or two: a page waits no longer. */
const MOST_COUNTED = 500_000;

/**
 * The report's lines, the largest first, and their total. The database adds everything up and returns one row per line,
 * however many executions there are. Each call of a workflow counts once: an admin's retry changes whether the call
 * counts as enrolled since. What happened to the enrollments is told by the looks at their contacts (`domain/ends`).
 *
 * Its statements run one after the other: one account's report takes one connection.
 */
export async function readReport(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
  request: ReportRequest,
): Promise<Report> {
  const { group, since: asked, until = NO_END, limit, mostCounted = MOST_COUNTED } = request;
  const { timeZone = "UTC", now = new Date() } = request.calendar ?? {};
  const since = await readStart(pool, portalId, { since: asked, until, mostCounted });
  const weeks =
    group === "week"
      ? weeksBetween(since, until === NO_END ? now : new Date(until.getTime() - 1), timeZone)
      : [];
  const { rows, known } = await readNumbers(pool, portalId, { group, since, until, limit, weeks });
  const lines = rows.filter(({ is_total }) => !is_total).map((row) => toLine(row, known));
  const shown =
    group === "week" ? inOrder(lines, weeks, since) : await withNames(pool, portalId, { group, rows, lines });
  const totalRow = rows.find(({ is_total }) => is_total);
  const total = totalRow === undefined ? NOTHING : toLine(totalRow, known);
  const left = (totalRow?.line_count ?? 0) - lines.length;
  return {
    lines: totalRow === undefined || totalRow.line_count === 0 ? [] : shown,
    total,
    since,
    rest: left > 0 ? { count: left, line: restOf(total, shown) } : undefined,
  };
}

interface Numbers {
  readonly group: ReportGroup;
  readonly since: Date;
  readonly until: Date;
  readonly limit: number;
  /** Only if it is by week. */
  readonly weeks: readonly Week[];
}

async function readNumbers(
  pool: Database["pool"],
  portalId: PortalId,
  { group, since, until, limit, weeks }: Numbers,
): Promise<{ rows: CountRow[]; known: KnownOfLines }> {
  // One of our own constants, never input.
  const { line } = REPORT_GROUPS[group];
  const starts = group === "week" ? [weeks.map(({ startsAt }) => startsAt)] : [];
  const { rows } = await pool.query<CountRow>({
    name: `report-by-${group}`,
    text: COUNTS(group),
    values: [portalId, since, limit, until, ...starts],
  });
  const ids = rows.filter(({ is_total }) => !is_total).map(({ id }) => id);
  const values = [portalId, since, ids, until, ...starts];
  // Not by name: a plan for any stretch of time reads all that was decided in it to find the few that were retried.
  const retried = await pool.query<RetriedRow>(RETRIED(line), values);
  const ends = await readEndsByLine(pool, { name: `by-${group}`, line, values });
  return { rows, known: { retried: new Map(retried.rows.map((row) => [row.id, row.count])), ends } };
}

type NamedGroup = Exclude<ReportGroup, "week">;

/** Every week, also one in which nothing was decided. */
function inOrder(lines: readonly ReportLine[], weeks: readonly Week[], since: Date): ReportLine[] {
  const byNumber = new Map(lines.map((line) => [line.id, line]));
  return weeks.map(({ monday, startsAt }, index) => ({
    ...(byNumber.get(String(index + 1)) ?? NOTHING),
    id: monday,
    during: { from: startsAt > since ? startsAt : since, until: weeks[index + 1]?.startsAt ?? null },
  }));
}

async function withNames(
  pool: Database["pool"],
  portalId: PortalId,
  { group, rows, lines }: { group: NamedGroup; rows: readonly CountRow[]; lines: readonly ReportLine[] },
): Promise<ReportLine[]> {
  const named = rows.filter(({ is_total, id }) => !is_total && id !== "");
  const names = await readLineNames(pool, portalId, { group, lines: named });
  return lines.map((line) => ({ ...line, name: names.get(line.id ?? "") ?? null }));
}

/**
 * The earliest time from which at most as many were decided as are counted: from the index alone, without the executions themselves.
 */
async function readStart(
  pool: Database["pool"],
  portalId: PortalId,
  { since, until, mostCounted }: { since: Date; until: Date; mostCounted: number },
): Promise<Date> {
  const { rows } = await pool.query<{ decided_at: Date }>({
    name: "report-start",
    text: `SELECT decided_at FROM executions WHERE portal_id = $1 AND decided_at >= $2 AND decided_at < $4
            ORDER BY decided_at DESC OFFSET $3 LIMIT 1`,
    values: [portalId, since, mostCounted, until],
  });
  return rows[0]?.decided_at ?? since;
}

/**
 * How long enrolling takes, from a tenth of a second to a month; longer or shorter times are in the first bucket or the
 * last.
 */
const TIMES = { fromSeconds: 0.1, toSeconds: 30 * 86_400, buckets: 100 };

/**
 * Read from the index `executions_results` alone, without the executions themselves.
 *
 * Times are gathered in buckets, each a sixth wider than the one before, with the least and the greatest of each: so
 * percentiles need no sorting, and are exact if the times of a bucket are the same. OFFSET keeps the planner from
 * expecting a group for every moment there is, and from sorting after all.
 */
const COUNTS = (group: ReportGroup): string => `
  WITH gathered AS (
    SELECT id, status, ${group === "sequence" ? "max(execution_id) FILTER (WHERE status = 'ENROLLED')" : "NULL::bigint"} AS newest, count(*) AS count,
           CASE WHEN seconds IS NOT NULL THEN width_bucket(ln(greatest(seconds, ${TIMES.fromSeconds})), ln(${TIMES.fromSeconds}::float8),
                        ln(${TIMES.toSeconds}::float8), ${TIMES.buckets}) END AS bucket,
           min(seconds) AS least, max(seconds) AS greatest
      FROM (
        SELECT ${REPORT_GROUPS[group].line} AS id, enrollment_status AS status, id AS execution_id,
               CASE WHEN enrollment_status = 'ENROLLED' THEN date_part('epoch', enrolled_at - accepted_at) END AS seconds
          FROM executions
         WHERE portal_id = $1 AND kind = 'ENROLL' AND decided_at >= $2 AND decided_at < $4 AND retry_of IS NULL OFFSET 0
      ) AS decided
     GROUP BY id, status, bucket
  ), line AS (
    SELECT grouping(id) = 1 AS is_total, coalesce(id, '') AS id, max(newest) AS newest, count(DISTINCT id) AS line_count,
           ${Object.entries({
             enrolled: "ENROLLED",
             already_enrolled: "ALREADY_ENROLLED",
             skipped: "SKIPPED",
             failed: "FAILED",
           })
             .map(
               ([name, status]) =>
                 `coalesce(sum(count) FILTER (WHERE status = '${status}'), 0)::int AS ${name}`,
             )
             .join(", ")}
      FROM gathered GROUP BY GROUPING SETS ((id), ())
  ), shown AS (
    (SELECT * FROM line WHERE NOT is_total
      ORDER BY enrolled + already_enrolled + skipped + failed DESC, length(id), id LIMIT $3)
    UNION ALL SELECT * FROM line WHERE is_total
  ), bucket AS (
    SELECT false AS is_total, id, bucket, count, least, greatest FROM gathered
     WHERE bucket IS NOT NULL AND id IN (SELECT id FROM shown WHERE NOT is_total)
    UNION ALL
    SELECT true, '', bucket, sum(count), min(least), max(greatest) FROM gathered WHERE bucket IS NOT NULL GROUP BY bucket
  ), placed AS (
    SELECT is_total, id, count, least, greatest, lead(least) OVER in_order AS next_least,
           sum(count) OVER in_order AS upto, sum(count) OVER (PARTITION BY is_total, id) AS enrolled
      FROM bucket WINDOW in_order AS (PARTITION BY is_total, id ORDER BY bucket)
  ), percentile AS (
    SELECT is_total, id, ${percentileAt(0.5)} AS median_seconds, ${percentileAt(0.95)} AS p95_seconds FROM placed GROUP BY 1, 2
  )
  SELECT is_total, id, newest, line_count::int, enrolled, already_enrolled, skipped, failed, median_seconds, p95_seconds
    FROM shown LEFT JOIN percentile USING (is_total, id)
   ORDER BY is_total, enrolled + already_enrolled + skipped + failed DESC, length(id), id`;

/** Interpolates between two values, as `percentile_cont` does; within a bucket, as if its times were spread evenly. */
function percentileAt(share: number): string {
  const place = `${share} * (enrolled - 1)`;
  return `max(CASE
      WHEN ${place} <= upto - 1
        THEN least + (greatest - least) * coalesce((${place} - (upto - count)) / nullif(count - 1, 0), 0)
      ELSE greatest + (next_least - greatest) * (${place} - (upto - 1)) END
    ) FILTER (WHERE ${place} >= upto - count AND ${place} < upto)`;
}

/** `$3`: the lines to show; the total, without an id, covers all. */
const RETRIED = (line: string): string => `
  SELECT id, count(*)::int AS count FROM (
    SELECT ${line} AS id
      FROM (SELECT DISTINCT retry_of AS tried_id FROM executions
             WHERE portal_id = $1 AND retry_of IS NOT NULL AND enrollment_status = 'ENROLLED') AS retry
      JOIN executions AS tried ON tried.portal_id = $1 AND tried.id = retry.tried_id
     WHERE tried.decided_at >= $2 AND tried.decided_at < $4 AND tried.enrollment_status = 'FAILED'
  ) AS tried GROUP BY GROUPING SETS ((id), ()) HAVING grouping(id) = 1 OR id = ANY($3::text[])`;
