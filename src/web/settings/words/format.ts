import { isTimeZone, knownZone, zoneFormats } from "#platform/time/local-time.js";

export { isTimeZone, knownZone };

/** Dates and numbers as people read them, in the portal's time zone. */
export interface Format {
  /** "Nov 26, 2026, 8:24 AM" */
  dateTime(date: Date): string;
  /** "Nov 26, 2026, 8:24:05 AM" */
  dateTimeSeconds(date: Date): string;
  /** "4 minutes ago", "in 3 hours", for what is less than a day away; undefined for the rest, and where no present is known. */
  relative(date: Date): string | undefined;
  /** "2:00 PM" */
  time(date: Date): string;
  /** "Nov 21" */
  day(date: Date): string;
  count(value: number): string;
  /** "less than a minute", "4 minutes", "3 hours", "2 days": always rounded down. */
  duration(milliseconds: number): string;
  /** "0.4 s", "12 s", "3 min 20 s", "2 h 5 min": a length that was measured. */
  span(milliseconds: number): string;
  /** "42%" */
  percent(share: number): string;
  /** The zone times are shown in, for people: "Eastern Time (New York)". */
  timeZone: string;
  /** The same as an IANA name. */
  zoneName: string;
}

const COUNT = new Intl.NumberFormat("en-US");
const DAY_MS = 86_400_000;
/** Times are the database's, the present is this process's: what has just happened may seem to be about to. */
const CLOCK_TOLERANCE_MS = 5_000;

/**
 * @param timeZone as HubSpot names it (an IANA name); UTC where it is unknown or not one.
 * @param now the present, from which times less than a day away are told; undefined: all are told by the calendar.
 */
export function createFormat(timeZone: string | null, now: Date | undefined): Format {
  const zone = knownZone(timeZone);
  const { dateTime, dateTimeSeconds, time, day } = zoneFormats(zone);
  return {
    dateTime,
    dateTimeSeconds,
    relative: (date) => (now === undefined ? undefined : describeDistance(date.getTime() - now.getTime())),
    time,
    day,
    count: (value) => COUNT.format(value),
    duration: describeDuration,
    span: describeSpan,
    percent: (share) => `${Math.round(share * 100)}%`,
    timeZone: zoneInWords(zone),
    zoneName: zone,
  };
}

/** "Eastern Time (New York)": the zone's own name, and the city that stands for it. */
function zoneInWords(zone: string): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longGeneric" });
  const name = parts.formatToParts(Date.now()).find(({ type }) => type === "timeZoneName")?.value ?? zone;
  const city = zone.split("/").slice(1).at(-1)?.replaceAll("_", " ");
  if (zone.toUpperCase() === "UTC") return "UTC";
  return city === undefined || name.includes(city) ? name : `${name} (${city})`;
}

function describeDistance(milliseconds: number): string | undefined {
  const away = Math.abs(milliseconds);
  if (away >= DAY_MS) return undefined;
  if (away < 60_000) return milliseconds > CLOCK_TOLERANCE_MS ? "in less than a minute" : "just now";
  return milliseconds > 0 ? `in ${describeDuration(away)}` : `${describeDuration(away)} ago`;
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
export function numbered(value: number, noun: string, plural = `${noun}s`): string {
  return `${COUNT.format(value)} ${value === 1 ? noun : plural}`;
}
