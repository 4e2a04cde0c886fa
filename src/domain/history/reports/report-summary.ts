import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { DECIDED_OUTCOMES, type DecidedOutcome, type OutcomeCounts } from "../outcome-history.js";
import { outcomeOf } from "../shown-outcome.js";

/** How often a contact was not enrolled for a reason, in a period and in the one before. */
export interface ReasonCount {
  readonly code: string;
  readonly count: number;
  readonly before: number;
}

/** What was decided in a period, beside the period of the same length before it. */
export interface ReportSummary {
  readonly counts: OutcomeCounts;
  readonly before: OutcomeCounts;
  /** The most frequent first. */
  readonly reasons: readonly ReasonCount[];
}

interface Row {
  is_current: boolean;
  enrollment_status: string | null;
  code: string | null;
  count: number;
}

const nothing = (): Record<DecidedOutcome, number> => ({
  enrolled: 0,
  "already-enrolled": 0,
  skipped: 0,
  failed: 0,
});

/** Each call of a workflow once; from the index `executions_results` alone. */
export async function readReportSummary(
  pool: Pool,
  portalId: PortalId,
  { since, until }: { since: Date; until: Date },
): Promise<ReportSummary> {
  const beforeSince = new Date(2 * since.getTime() - until.getTime());
  const { rows } = await pool.query<Row>({
    name: "report-summary",
    text: `SELECT decided_at >= $3 AS is_current, enrollment_status, nullif(error_code, '') AS code, count(*)::int AS count
             FROM executions
            WHERE portal_id = $1 AND kind = 'ENROLL' AND retry_of IS NULL AND decided_at >= $2 AND decided_at < $4
            GROUP BY 1, 2, 3`,
    values: [portalId, beforeSince, since, until],
  });
  const [counts, before] = [nothing(), nothing()];
  const reasons = new Map<string, { count: number; before: number }>();
  for (const { is_current, enrollment_status, code, count } of rows) {
    const outcome = DECIDED_OUTCOMES.find((one) => one === outcomeOf(enrollment_status, true));
    if (outcome === undefined) continue;
    (is_current ? counts : before)[outcome] += count;
    if (code === null || (outcome !== "failed" && outcome !== "skipped")) continue;
    const reason = reasons.get(code) ?? { count: 0, before: 0 };
    reason[is_current ? "count" : "before"] += count;
    reasons.set(code, reason);
  }
  return {
    counts,
    before,
    reasons: [...reasons]
      .map(([code, reason]) => ({ code, ...reason }))
      .sort((left, right) => right.count - left.count || left.code.localeCompare(right.code)),
  };
}
