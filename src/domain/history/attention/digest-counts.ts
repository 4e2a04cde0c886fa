import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { outcomeOf } from "../shown-outcome.js";

/** What happened to the contacts of a period. */
export interface DigestCounts {
  readonly enrolled: number;
  readonly alreadyEnrolled: number;
  /** Failed or skipped. */
  readonly notEnrolled: number;
  /** Why they were not enrolled, the most frequent first. */
  readonly reasons: readonly { readonly code: string; readonly count: number }[];
}

/** From the index `executions_results` alone: each call of a workflow once, an admin's retries not. */
export async function countDecided(
  pool: Pool,
  portalId: PortalId,
  { from, to }: { from: Date; to: Date },
): Promise<DigestCounts> {
  const { rows } = await pool.query<{ status: string | null; code: string | null; count: number }>({
    name: "digest-counts",
    text: `SELECT enrollment_status AS status, nullif(error_code, '') AS code, count(*)::int AS count
             FROM executions
            WHERE portal_id = $1 AND kind = 'ENROLL' AND retry_of IS NULL AND decided_at >= $2 AND decided_at < $3
            GROUP BY 1, 2`,
    values: [portalId, from, to],
  });
  const sum = (...outcomes: string[]): number =>
    rows
      .filter(({ status }) => outcomes.includes(outcomeOf(status, true)))
      .reduce((total, { count }) => total + count, 0);
  const reasons = rows
    .filter(({ status, code }) => code !== null && ["failed", "skipped"].includes(outcomeOf(status, true)))
    .reduce(
      (all, { code, count }) => all.set(code ?? "", (all.get(code ?? "") ?? 0) + count),
      new Map<string, number>(),
    );
  return {
    enrolled: sum("enrolled"),
    alreadyEnrolled: sum("already-enrolled"),
    notEnrolled: sum("failed", "skipped"),
    reasons: [...reasons]
      .map(([code, count]) => ({ code, count }))
      .sort((left, right) => right.count - left.count || left.code.localeCompare(right.code)),
  };
}
