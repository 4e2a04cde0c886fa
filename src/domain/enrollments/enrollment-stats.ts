import type { Pool } from "pg";
import type { EndOutcome } from "#domain/contract/enrollment-end.js";
import { findPeopleByIds } from "#domain/directory/people.js";
import { findFlows } from "#domain/flows/flow-names.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Period } from "./stats-period.js";

/** What enrollments are counted by, in SQL on `executions e`; `$4` is the account's time zone. */
const KEYS = {
  day: "to_char(e.decided_at AT TIME ZONE $4, 'YYYY-MM-DD')",
  sequence: "e.sequence_id",
  sender: "e.sender_user_id::text",
  workflow: "e.workflow_id",
  source: "e.source",
} as const;
export type StatsKey = keyof typeof KEYS;
export const STATS_KEYS = Object.keys(KEYS) as [StatsKey, ...StatsKey[]];

/** Those of what is decided: what is still open has no time to be counted at. */
export const STATS_STATES = ["ENROLLED", "ALREADY_ENROLLED", "SKIPPED", "FAILED", "CANCELLED"] as const;
export type StatsState = (typeof STATS_STATES)[number];

/** What was decided in a period. */
export interface StatsCounts {
  readonly total: number;
  readonly statuses: Readonly<Record<StatsState, number>>;
  /** By code. */
  readonly reasons: Readonly<Record<string, number>>;
  /** From acceptance to the enrollment, in ms; null if nobody was enrolled. */
  readonly timeToEnroll: { readonly medianMs: number; readonly p95Ms: number } | null;
  /** How those that were enrolled in the period ended, where it is known. */
  readonly ends: Readonly<Record<EndOutcome, number>>;
}

export interface StatsLine extends StatsCounts {
  /** A day, an id or a source; null: none is known. */
  readonly id: string | null;
  readonly name: string | null;
}

export interface Stats {
  /** Later than asked if more was decided than is counted. */
  readonly from: Date;
  readonly lines: readonly StatsLine[];
  readonly total: StatsCounts;
}

/** Counting this many takes about a second. */
const MOST_COUNTED = 200_000;
/** Lines that are returned; the total covers all. */
const MOST_LINES = 1_000;

/**
 * Counts what was decided in a period: days in their order, everything else with the most first. Every try counts,
 * including retries.
 */
export async function readStats(
  pool: Pool,
  portalId: PortalId,
  { period, by }: { period: Period; by: StatsKey },
): Promise<Stats> {
  const { to, timeZone } = period;
  const from = await readStart(pool, portalId, period);
  const values = [portalId, from, to, ...(by === "day" ? [timeZone] : [])];
  const counted = await pool.query<CountRow>(countsBy(KEYS[by]), values);
  const timed = await pool.query<TimeRow>(timesBy(KEYS[by]), values);
  const times = new Map(timed.rows.map((row) => [row.is_total ? "total" : `key:${row.key}`, row]));
  const rowsOf = new Map<string | null, CountRow[]>();
  for (const row of counted.rows) rowsOf.set(row.key, [...(rowsOf.get(row.key) ?? []), row]);
  const lines = [...rowsOf]
    .map(([key, rows]) => ({ id: key, name: null, ...addUp(rows, times.get(`key:${key}`)) }))
    .toSorted(by === "day" ? byDay : byTotal)
    .slice(0, MOST_LINES);
  const total = addUp(counted.rows, times.get("total"));
  return { from, lines: await named(pool, portalId, { by, lines }), total };
}

const byDay = (one: StatsLine, other: StatsLine): number => (one.id ?? "").localeCompare(other.id ?? "");
const byTotal = (one: StatsLine, other: StatsLine): number => other.total - one.total;

interface CountRow {
  key: string | null;
  status: StatsState;
  reason: string | null;
  outcome: EndOutcome | null;
  count: number;
}

interface TimeRow {
  is_total: boolean;
  key: string | null;
  median_ms: number;
  p95_ms: number;
}

/** Where to begin so that the limit of rows is not exceeded: from the index alone. */
async function readStart(pool: Pool, portalId: PortalId, { from, to }: Period): Promise<Date> {
  const { rows } = await pool.query<{ decided_at: Date }>({
    name: "stats-start",
    text: `SELECT decided_at FROM executions WHERE portal_id = $1 AND decided_at >= $2 AND decided_at < $3
            ORDER BY decided_at DESC OFFSET ${MOST_COUNTED} LIMIT 1`,
    values: [portalId, from, to],
  });
  return rows[0]?.decided_at ?? from;
}

const decidedIn = (key: string, more: string): string => `
  SELECT ${key} AS key, ${more} FROM executions e
    LEFT JOIN followed_enrollments f ON f.portal_id = e.portal_id AND f.execution_id = e.id
   WHERE e.portal_id = $1 AND e.kind = 'ENROLL' AND e.decided_at >= $2 AND e.decided_at < $3`;

const countsBy = (key: string): string => `
  SELECT key, status, reason, outcome, count(*)::int AS count FROM (${decidedIn(
    key,
    `CASE WHEN e.error_code = 'CANCELLED' THEN 'CANCELLED' ELSE coalesce(e.enrollment_status, 'FAILED') END AS status,
     nullif(e.error_code, '') AS reason, f.outcome`,
  )}) AS decided GROUP BY key, status, reason, outcome`;

const timesBy = (key: string): string => `
  SELECT grouping(key) = 1 AS is_total, key, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS median_ms,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95_ms
    FROM (${decidedIn(key, `(extract(epoch FROM e.enrolled_at - e.accepted_at) * 1000)::float8 AS ms`)}
             AND e.enrollment_status = 'ENROLLED' AND e.enrolled_at IS NOT NULL) AS enrolled
   GROUP BY GROUPING SETS ((key), ())`;

function addUp(rows: readonly CountRow[], time: TimeRow | undefined): StatsCounts {
  const statuses = { ENROLLED: 0, ALREADY_ENROLLED: 0, SKIPPED: 0, FAILED: 0, CANCELLED: 0 };
  const ends = { FINISHED: 0, REPLIED: 0, UNENROLLED: 0 };
  const reasons: Record<string, number> = {};
  let total = 0;
  for (const { status, reason, outcome, count } of rows) {
    total += count;
    statuses[status] += count;
    if (reason !== null) reasons[reason] = (reasons[reason] ?? 0) + count;
    if (outcome !== null) ends[outcome] += count;
  }
  const timeToEnroll =
    time === undefined || statuses.ENROLLED === 0
      ? null
      : { medianMs: Math.round(time.median_ms), p95Ms: Math.round(time.p95_ms) };
  return { total, statuses, reasons, timeToEnroll, ends };
}

async function named(
  pool: Pool,
  portalId: PortalId,
  { by, lines }: { by: StatsKey; lines: readonly StatsLine[] },
): Promise<StatsLine[]> {
  const names = await readNames(pool, portalId, { by, ids: lines.flatMap(({ id }) => id ?? []) });
  return lines.map((line) => ({ ...line, name: names.get(line.id ?? "") ?? null }));
}

async function readNames(
  pool: Pool,
  portalId: PortalId,
  { by, ids }: { by: StatsKey; ids: readonly string[] },
): Promise<ReadonlyMap<string, string | null>> {
  switch (by) {
    case "sequence": {
      const { rows } = await pool.query<{ id: string; name: string }>(
        "SELECT sequence_id AS id, name FROM sequences WHERE portal_id = $1 AND sequence_id = ANY ($2::text[])",
        [portalId, ids],
      );
      return new Map(rows.map(({ id, name }) => [id, name]));
    }
    case "sender": {
      const people = await findPeopleByIds(pool, portalId, ids.map(BigInt));
      return new Map([...people].map(([id, { label }]) => [String(id), label]));
    }
    case "workflow": {
      const flows = await findFlows(pool, portalId, ids);
      return new Map([...flows].map(([id, { name }]) => [id, name]));
    }
    default:
      return new Map();
  }
}
