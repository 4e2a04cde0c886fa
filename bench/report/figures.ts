/** One measured figure beside what it is held against. Ratios are what is compared from run to run, never times. */
export interface Figure {
  /** Stable: the baseline is looked up by it. */
  readonly id: string;
  readonly area: string;
  readonly what: string;
  readonly unit: string;
  /** Medians. */
  readonly ours: number;
  readonly peer?: number | undefined;
  /** Ours over the peer's, or over what is possible; undefined if the figure stands alone. */
  readonly ratio?: number | undefined;
  /** The ratio of each run; if there is none, what was measured. */
  readonly runs?: readonly number[];
  /** What design §5 asks of `judged`. */
  readonly bar?: {
    readonly of: "ratio" | "ours";
    readonly atLeast?: number;
    readonly atMost?: number;
  };
}

/** undefined if there is no bar. */
export function isBarMet({ bar, ratio, ours }: Figure): boolean | undefined {
  if (bar === undefined) return undefined;
  const value = bar.of === "ratio" ? ratio : ours;
  if (value === undefined || Number.isNaN(value)) return false;
  return (
    value >= (bar.atLeast ?? Number.NEGATIVE_INFINITY) && value <= (bar.atMost ?? Number.POSITIVE_INFINITY)
  );
}
