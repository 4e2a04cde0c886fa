import { knownZone } from "#platform/time/local-time.js";
import { DAY_MS, HOUR_MS } from "#platform/time/units.js";
import { startOfDay } from "#platform/time/zoned-day.js";
import type { Format } from "../words/format.js";

/** Periods that one choice names. */
export const REPORT_RANGES = {
  "24h": { label: "24 hours", hours: 24 },
  "7d": { label: "7 days", hours: 7 * 24 },
  "30d": { label: "30 days", hours: 30 * 24 },
  "90d": { label: "90 days", hours: 90 * 24 },
} as const;
export type ReportRange = keyof typeof REPORT_RANGES;

/** What a report covers. */
export interface ReportPeriod {
  readonly since: Date;
  /** Undefined: up to now. */
  readonly until: Date | undefined;
  /** Undefined: days of the calendar. */
  readonly range: ReportRange | undefined;
  /** As an address names it. */
  readonly query: Readonly<Record<string, string>>;
  /** The same as a filter of the activity. */
  readonly decided: Readonly<Record<string, string>>;
  /** "last 30 days", or "Nov 1–Nov 26". */
  readonly label: string;
}

/** A custom period of this length at most. */
const LONGEST_MS = 400 * DAY_MS;

interface Clock {
  readonly now: Date;
  readonly timeZone: string | null;
  readonly format: Format;
}

/** The days that an address names, both included; if they make no sense, the range; if there is none, 30 days. */
export function readReportPeriod(given: Readonly<Record<string, unknown>>, clock: Clock): ReportPeriod {
  return readDays(given, clock) ?? lastOf(readRange(given["range"]), clock);
}

function readRange(value: unknown): ReportRange {
  return typeof value === "string" && Object.hasOwn(REPORT_RANGES, value) ? (value as ReportRange) : "30d";
}

function lastOf(range: ReportRange, { now }: Clock): ReportPeriod {
  const { hours, label } = REPORT_RANGES[range];
  const since = new Date(now.getTime() - hours * HOUR_MS);
  return {
    since,
    until: undefined,
    range,
    query: { range },
    decided: { decided: since.toISOString() },
    label: `last ${label}`,
  };
}

function readDays({ from, to }: Readonly<Record<string, unknown>>, clock: Clock): ReportPeriod | undefined {
  if (typeof from !== "string" || typeof to !== "string") return undefined;
  const zone = knownZone(clock.timeZone);
  const since = startOfDay(from, zone);
  const end = startOfDay(to, zone, 1);
  if (since === undefined || end === undefined || since >= end || since > clock.now) return undefined;
  if (end.getTime() - since.getTime() > LONGEST_MS) return undefined;
  const until = end > clock.now ? clock.now : end;
  const last = new Date(end.getTime() - 1);
  return {
    since,
    until,
    range: undefined,
    query: { from, to },
    decided: { decided: since.toISOString(), decided_before: until.toISOString() },
    label: from === to ? clock.format.day(since) : `${clock.format.day(since)}–${clock.format.day(last)}`,
  };
}
