import { isTimeZone, knownZone } from "#platform/time/local-time.js";

export { isTimeZone, knownZone };

/** Dates and numbers as people read them, in the portal's time zone. */
export interface Format {
  dateTime(date: Date): string;
  /** "14:00" */
  time(date: Date): string;
  /** "21 Nov" */
  day(date: Date): string;
  count(value: number): string;
  /** "less than a minute", "4 minutes", "3 hours", "2 days": always rounded down. */
  duration(milliseconds: number): string;
  /** "0.4 s", "12 s", "3 min 20 s", "2 h 5 min": a length that was measured. */
  span(milliseconds: number): string;
  /** "42%" */
  percent(share: number): string;
  /** The zone times are shown in. */
  timeZone: string;
  /** The same as an IANA name. */
  zoneName: string;
}

const COUNT = new Intl.NumberFormat("en-US");

/** @param timeZone as HubSpot names it (an IANA name); UTC where it is unknown or not one. */
export function createFormat(timeZone: string | null): Format {
  const zone = knownZone(timeZone);
  const dateTime = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  return {
    dateTime: (date) => dateTime.format(date),
    time: (date) => time.format(date),
    day: (date) => day.format(date),
    count: (value) => COUNT.format(value),
    duration: describeDuration,
    span: describeSpan,
    percent: (share) => `${Math.round(share * 100)}%`,
    timeZone: zone.replaceAll("_", " "),
    zoneName: zone,
  };
}

function describeDuration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return numbered(minutes, "minute");
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? numbered(hours, "hour") : numbered(Math.floor(hours / 24), "day");
}

function describeSpan(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 contact", "1,200 contacts". */
export function numbered(value: number, noun: string): string {
  return `${COUNT.format(value)} ${noun}${value === 1 ? "" : "s"}`;
}
