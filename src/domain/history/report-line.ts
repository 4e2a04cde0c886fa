import { mapEnds, NO_ENDS, type LineEnds } from "./report-ends.js";

/** One sequence, sender or workflow in a period, or one week. */
export interface ReportLine {
  /** HubSpot's id, or the week's Monday (`YYYY-MM-DD`); null if an execution has none. */
  readonly id: string | null;
  /** Null if not known. */
  readonly name: string | null;
  /** What of its week is counted, only if it is one: up to now if the end is null. */
  readonly during: { readonly from: Date; readonly until: Date | null } | null;
  readonly enrolled: number;
  readonly alreadyEnrolled: number;
  readonly skipped: number;
  readonly failed: number;
  /** How many of those not enrolled were enrolled since, by an admin's retry. */
  readonly enrolledSince: number;
  /** From acceptance to the enrollment; null if nobody was enrolled, or if not known. */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  readonly ends: LineEnds;
}

/** What the database returns for a line, or for all: `id` is "" if there is none. */
export interface CountRow {
  readonly is_total: boolean;
  readonly id: string;
  /** Of sequences: the last execution of the line that enrolled someone. */
  readonly newest: string | null;
  /** For the total: how many lines there are. */
  readonly line_count: number;
  readonly enrolled: number;
  readonly already_enrolled: number;
  readonly skipped: number;
  readonly failed: number;
  readonly median_seconds: number | null;
  readonly p95_seconds: number | null;
}

/** `id` is null for all lines together. */
export interface RetriedRow {
  readonly id: string | null;
  readonly count: number;
}

/** By line; all lines under null. */
export interface KnownOfLines {
  readonly retried: ReadonlyMap<string | null, number>;
  readonly ends: ReadonlyMap<string | null, LineEnds>;
}

export const NOTHING: ReportLine = {
  id: null,
  name: null,
  during: null,
  enrolled: 0,
  alreadyEnrolled: 0,
  skipped: 0,
  failed: 0,
  enrolledSince: 0,
  medianMs: null,
  p95Ms: null,
  ends: NO_ENDS,
};

export function toLine(row: CountRow, { retried, ends }: KnownOfLines): ReportLine {
  const key = row.is_total ? null : row.id;
  return {
    id: row.is_total || row.id === "" ? null : row.id,
    name: null,
    during: null,
    enrolled: row.enrolled,
    alreadyEnrolled: row.already_enrolled,
    skipped: row.skipped,
    failed: row.failed,
    enrolledSince: retried.get(key) ?? 0,
    medianMs: toMs(row.median_seconds),
    p95Ms: toMs(row.p95_seconds),
    ends: ends.get(key) ?? NO_ENDS,
  };
}

function toMs(seconds: number | null): number | null {
  return seconds === null ? null : Math.round(seconds * 1_000);
}

/** The part of the total that is not in the lines. */
export function restOf(total: ReportLine, lines: readonly ReportLine[]): ReportLine {
  const left = (count: (line: ReportLine) => number): number =>
    lines.reduce((sum, line) => sum - count(line), count(total));
  return {
    ...NOTHING,
    enrolled: left((line) => line.enrolled),
    alreadyEnrolled: left((line) => line.alreadyEnrolled),
    skipped: left((line) => line.skipped),
    failed: left((line) => line.failed),
    enrolledSince: left((line) => line.enrolledSince),
    ends: mapEnds((name) => left(({ ends }) => ends[name])),
  };
}
