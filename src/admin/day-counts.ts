import type { Database } from "../db/client.js";
import { OUTCOMES, outcomeOf, type Outcome } from "./outcome.js";

/** Rows counted at most for the day's figures. */
const COUNT_LIMIT = 50_000;
const DAY_MS = 24 * 3_600_000;

export interface DayCounts {
  byOutcome: Readonly<Record<Outcome, number>>;
  total: number;
  /** True where the day holds more than was counted. */
  isPartial: boolean;
}

/** Executions of the last 24 hours by outcome. */
export async function countLastDay(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  now: Date,
): Promise<DayCounts> {
  const { rows } = await pool.query<{ enrollment_status: string | null; is_decided: boolean; count: number }>(
    `SELECT enrollment_status, decided_at IS NOT NULL AS is_decided, count(*)::int AS count FROM (
       SELECT enrollment_status, decided_at, accepted_at FROM executions WHERE portal_id = $1 ORDER BY id DESC LIMIT $3
     ) AS newest WHERE accepted_at >= $2 GROUP BY enrollment_status, decided_at IS NOT NULL`,
    [portalId, new Date(now.getTime() - DAY_MS), COUNT_LIMIT],
  );
  const byOutcome = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  for (const row of rows) byOutcome[outcomeOf(row.enrollment_status, row.is_decided)] += row.count;
  const total = rows.reduce((sum, row) => sum + row.count, 0);
  return { byOutcome, total, isPartial: total >= COUNT_LIMIT };
}
