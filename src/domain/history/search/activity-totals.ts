import { outcomeOf, type OutcomeName } from "../shown-outcome.js";

/** What a search finds, by result; the reasons of those that were not enrolled, the most frequent first. */
export interface ActivityTotals {
  readonly total: number;
  readonly outcomes: readonly { readonly outcome: OutcomeName; readonly count: number }[];
  readonly reasons: readonly { readonly code: string; readonly count: number }[];
  /** Set if only what was accepted since then was counted: there is more. */
  readonly countedTo: Date | undefined;
}

/** Of a status and a reason: what the search finds of it, which may be nothing. */
export interface TotalRow {
  enrollment_status: string | null;
  is_decided: boolean;
  error_code: string | null;
  count: number;
  looked_at: number;
  oldest: Date | null;
}

/** @param most rows that were read at most; undefined: all that there are. */
export function totalsOf(rows: readonly TotalRow[], most: number | undefined): ActivityTotals {
  const outcomes = new Map<OutcomeName, number>();
  const reasons = new Map<string, number>();
  for (const { enrollment_status, is_decided, error_code, count } of rows) {
    if (count === 0) continue;
    const outcome = outcomeOf(enrollment_status, is_decided);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    if (error_code !== null && (outcome === "failed" || outcome === "skipped"))
      reasons.set(error_code, (reasons.get(error_code) ?? 0) + count);
  }
  const [first] = rows;
  const isPartial = most !== undefined && first !== undefined && first.looked_at >= most;
  return {
    total: rows.reduce((sum, { count }) => sum + count, 0),
    outcomes: byCount(outcomes).map(([outcome, count]) => ({ outcome, count })),
    reasons: byCount(reasons).map(([code, count]) => ({ code, count })),
    countedTo: isPartial ? (first.oldest ?? undefined) : undefined,
  };
}

function byCount<Key extends string>(counts: ReadonlyMap<Key, number>): [Key, number][] {
  return [...counts].sort((left, right) => right[1] - left[1] || left[0].localeCompare(right[0]));
}
