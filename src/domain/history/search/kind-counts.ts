import { outcomeOf } from "../shown-outcome.js";

/** What a search finds, by what the list's tabs show. */
export interface KindCounts {
  readonly enrollments: number;
  /** Enrollments that failed. */
  readonly failed: number;
  /** Enrollments that wait. */
  readonly waiting: number;
  /** Of the other actions. */
  readonly others: number;
  /** There are more: only the newest were counted. */
  readonly isPartial: boolean;
}

/** Of an action and a status: what the search finds of it, which may be nothing. */
export interface KindRow {
  is_enroll: boolean;
  enrollment_status: string | null;
  is_decided: boolean;
  count: number;
  looked_at: number;
}

/** @param most rows that were read at most; undefined: all that there are. */
export function kindsOf(rows: readonly KindRow[], most: number | undefined): KindCounts {
  const sum = (holds: (row: KindRow) => boolean): number =>
    rows.filter(holds).reduce((total, { count }) => total + count, 0);
  const ofEnroll = (outcome: string) =>
    sum((row) => row.is_enroll && outcomeOf(row.enrollment_status, row.is_decided) === outcome);
  return {
    enrollments: sum(({ is_enroll }) => is_enroll),
    failed: ofEnroll("failed"),
    waiting: ofEnroll("waiting"),
    others: sum(({ is_enroll }) => !is_enroll),
    isPartial: most !== undefined && (rows[0]?.looked_at ?? 0) >= most,
  };
}
