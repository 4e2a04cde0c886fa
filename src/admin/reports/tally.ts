import type { CountRow, EndRow, ReportLine } from "./report.js";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A line while it is added up. */
interface Sum extends Writable<Omit<ReportLine, "ends" | "medianMs" | "p95Ms">> {
  readonly ends: Writable<ReportLine["ends"]>;
  /** How many were enrolled in so many ms. */
  readonly times: Map<number, number>;
}

function emptySum(id: string | null): Sum {
  return {
    ...{ id, name: null, enrolled: 0, alreadyEnrolled: 0, skipped: 0, failed: 0, enrolledSince: 0 },
    ends: { replied: 0, finished: 0, unenrolled: 0 },
    times: new Map(),
  };
}

const COUNTED = {
  ENROLLED: "enrolled",
  ALREADY_ENROLLED: "alreadyEnrolled",
  SKIPPED: "skipped",
  FAILED: "failed",
} as const;
const ENDED = { REPLIED: "replied", FINISHED: "finished", UNENROLLED: "unenrolled" } as const;

interface Counted {
  readonly counts: readonly CountRow[];
  readonly retried: readonly { readonly id: string | null; readonly count: number }[];
  readonly ends: readonly EndRow[];
}

/** Adds up what was counted, by line and in all. What has no line was decided before the stretch of time. */
export function tally({ counts, retried, ends }: Counted): { lines: ReportLine[]; total: ReportLine } {
  const lines = new Map<string | null, Sum>();
  const total = emptySum(null);
  for (const row of counts) {
    const line = lines.get(row.id) ?? emptySum(row.id);
    lines.set(row.id, line);
    line.name ??= row.any_name;
    addCount(line, row);
    addCount(total, row);
  }
  for (const { id, count } of retried)
    for (const sum of [lines.get(id), total]) if (sum) sum.enrolledSince += count;
  for (const { id, outcome, count } of ends) {
    const end = ENDED[outcome as keyof typeof ENDED];
    for (const sum of [lines.get(id), total]) if (sum) sum.ends[end] += count;
  }
  return { lines: [...lines.values()].map(toLine), total: toLine(total) };
}

function addCount(sum: Sum, { status, took_ms, count }: CountRow): void {
  if (status === null || !Object.hasOwn(COUNTED, status)) return;
  sum[COUNTED[status as keyof typeof COUNTED]] += count;
  if (took_ms !== null) sum.times.set(took_ms, (sum.times.get(took_ms) ?? 0) + count);
}

function toLine({ times, ...sum }: Sum): ReportLine {
  const sorted = [...times].sort(([left], [right]) => left - right);
  return { ...sum, medianMs: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
}

/** Between two values in proportion, as `percentile_cont` does. Null of nothing. */
function percentile(
  sorted: readonly (readonly [value: number, count: number])[],
  share: number,
): number | null {
  const place = share * (sorted.reduce((sum, [, count]) => sum + count, 0) - 1);
  const below = valueAt(sorted, Math.floor(place));
  const above = valueAt(sorted, Math.ceil(place));
  return below === undefined || above === undefined
    ? null
    : below + (above - below) * (place - Math.floor(place));
}

function valueAt(sorted: readonly (readonly [number, number])[], place: number): number | undefined {
  let passed = 0;
  return sorted.find(([, count]) => (passed += count) > place)?.[0];
}
