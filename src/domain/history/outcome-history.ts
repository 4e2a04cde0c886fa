import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { outcomeOf, type OutcomeName } from "./shown-outcome.js";

/** Periods the overview covers, and the steps of their charts. */
export const RANGES = {
  "24h": { label: "24 hours", step: "hour", steps: 24 },
  "7d": { label: "7 days", step: "day", steps: 7 },
  "30d": { label: "30 days", step: "day", steps: 30 },
} as const;
export type Range = keyof typeof RANGES;

export function isRange(value: unknown): value is Range {
  return typeof value === "string" && Object.hasOwn(RANGES, value);
}

/** Decided outcomes, in the order they are stacked. */
export const DECIDED_OUTCOMES = ["enrolled", "already-enrolled", "skipped", "failed"] as const;
export type DecidedOutcome = (typeof DECIDED_OUTCOMES)[number];

export type OutcomeCounts = Readonly<Record<DecidedOutcome, number>>;

/** What was decided in one hour, or on one day of the portal's calendar. */
export interface HistoryStep {
  readonly startsAt: Date;
  readonly counts: OutcomeCounts;
}

export interface OutcomeHistory {
  readonly range: Range;
  /** When the first step began: everything decided since is counted. */
  readonly since: Date;
  /** Oldest first; the last one is not over yet. */
  readonly steps: readonly HistoryStep[];
  readonly totals: OutcomeCounts;
  /** How many of them were retried by an admin and enrolled that way. */
  readonly enrolledSince: OutcomeCounts;
  /** Why contacts were not enrolled or skipped, the most frequent first. */
  readonly reasons: readonly { code: string; count: number }[];
}

interface Row {
  starts_at: Date;
  enrollment_status: string | null;
  error_code: string | null;
  count: number;
  enrolled_since: number;
}

/**
 * What the enroll action decided, by time of decision. Each call of a workflow counts once: an admin's retry changes
 * whether the call counts as enrolled since, and is not counted itself. Read from the index `executions_results` alone.
 * A row's step is found among the moments at which steps begin: looking up the zone for each row would cost the most,
 * and an hour that clocks show twice, or never, is counted once.
 *
 * @param timeZone of the hours and days; an IANA name.
 */
export async function readHistory(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
  { range, timeZone }: { range: Range; timeZone: string },
): Promise<OutcomeHistory> {
  const { step, steps } = RANGES[range];
  const { rows } = await pool.query<Row>({
    name: "outcome-history",
    text: `
      WITH local AS (SELECT date_trunc($2, now() AT TIME ZONE $3) AS this_step, ('1 ' || $2)::interval AS length),
      step AS MATERIALIZED (
        SELECT at AT TIME ZONE $3 AS starts_at, row_number() OVER (ORDER BY at AT TIME ZONE $3) AS number
          FROM local, generate_series(local.this_step - ($4::int - 1) * local.length, local.this_step, local.length) AS at
      ), decided AS (
        SELECT width_bucket(decided_at, ARRAY(SELECT starts_at FROM step ORDER BY number)) AS number, enrollment_status, error_code,
               count(*)::int AS count, 0 AS enrolled_since
          FROM executions
         WHERE portal_id = $1 AND kind = 'ENROLL' AND retry_of IS NULL AND decided_at >= (SELECT min(starts_at) FROM step)
         GROUP BY 1, 2, 3
        UNION ALL
        SELECT width_bucket(tried.decided_at, ARRAY(SELECT starts_at FROM step ORDER BY number)), tried.enrollment_status,
               tried.error_code, 0, count(*)::int
          FROM (SELECT DISTINCT retry_of FROM executions
                 WHERE portal_id = $1 AND retry_of IS NOT NULL AND enrollment_status = 'ENROLLED') AS retry
          JOIN executions AS tried ON tried.portal_id = $1 AND tried.id = retry.retry_of
           AND tried.decided_at >= (SELECT min(starts_at) FROM step)
         GROUP BY 1, 2, 3
      )
      SELECT step.starts_at, decided.enrollment_status, nullif(decided.error_code, '') AS error_code,
             coalesce(decided.count, 0) AS count, coalesce(decided.enrolled_since, 0) AS enrolled_since
        FROM step LEFT JOIN decided ON decided.number = step.number
       ORDER BY step.starts_at`,
    values: [portalId, step, timeZone, steps],
  });
  return toHistory(range, rows);
}

const nothing = (): Record<DecidedOutcome, number> => ({
  enrolled: 0,
  "already-enrolled": 0,
  skipped: 0,
  failed: 0,
});

function toHistory(range: Range, rows: readonly Row[]): OutcomeHistory {
  const steps = new Map<number, Record<DecidedOutcome, number>>();
  const [totals, enrolledSince] = [nothing(), nothing()];
  const reasons = new Map<string, number>();
  for (const { starts_at, enrollment_status, error_code, count, enrolled_since } of rows) {
    const counts = steps.get(starts_at.getTime()) ?? nothing();
    steps.set(starts_at.getTime(), counts);
    const outcome = outcomeOf(enrollment_status, true);
    if (!isDecided(outcome)) continue;
    counts[outcome] += count;
    totals[outcome] += count;
    enrolledSince[outcome] += enrolled_since;
    if (error_code !== null) reasons.set(error_code, (reasons.get(error_code) ?? 0) + count);
  }
  return {
    range,
    since: rows[0]?.starts_at ?? new Date(),
    steps: [...steps].map(([startsAtMs, counts]) => ({ startsAt: new Date(startsAtMs), counts })),
    totals,
    enrolledSince,
    reasons: [...reasons]
      .map(([code, count]) => ({ code, count }))
      .sort((left, right) => right.count - left.count || left.code.localeCompare(right.code)),
  };
}

function isDecided(outcome: OutcomeName): outcome is DecidedOutcome {
  return (DECIDED_OUTCOMES as readonly OutcomeName[]).includes(outcome);
}
