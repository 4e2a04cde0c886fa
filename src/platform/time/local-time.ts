import { LRUCache } from "lru-cache";

/** Formats are expensive to create and are cached by zone name; a few hundred are in use. */
const MAX_ZONES = 1_000;

/** Whether it is an IANA name this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The zone for `Intl`; UTC if it is unknown or invalid. */
export function knownZone(timeZone: string | null): string {
  return timeZone !== null && isTimeZone(timeZone) ? timeZone : "UTC";
}

const DAY = { day: "numeric", month: "short" } as const;
const CLOCK = { hour: "numeric", minute: "2-digit" } as const;

/** Times as Americans write them, in one zone. */
export interface ZoneFormats {
  /** As a sentence names it: "America/New York". */
  readonly zone: string;
  /** "Nov 26, 2026, 8:24 AM" */
  readonly dateTime: (at: Date) => string;
  /** "Nov 26, 2026, 8:24:05 AM" */
  readonly dateTimeSeconds: (at: Date) => string;
  /** "Nov 26, 2026" */
  readonly date: (at: Date) => string;
  /** "Nov 26" */
  readonly day: (at: Date) => string;
  /** "8:24 AM" */
  readonly time: (at: Date) => string;
  /** "2026-11-26" */
  readonly isoDay: (at: Date) => string;
}

/** Writes with plain spaces: `Intl` has a narrow one before AM and PM, which no search finds. */
function writer(timeZone: string, options: Intl.DateTimeFormatOptions): (at: Date) => string {
  const format = new Intl.DateTimeFormat("en-US", { ...options, timeZone });
  return (at) => format.format(at).replaceAll("\u202f", " ");
}

const formats = new LRUCache<string, ZoneFormats>({
  max: MAX_ZONES,
  memoMethod: (asked) => {
    const timeZone = knownZone(asked);
    const year = "numeric";
    const isoDay = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
    return {
      zone: timeZone.toUpperCase() === "UTC" ? "UTC" : timeZone.replaceAll("_", " "),
      dateTime: writer(timeZone, { ...DAY, year, ...CLOCK }),
      dateTimeSeconds: writer(timeZone, { ...DAY, year, ...CLOCK, second: "2-digit" }),
      date: writer(timeZone, { ...DAY, year }),
      day: writer(timeZone, DAY),
      time: writer(timeZone, CLOCK),
      isoDay: (at) => isoDay.format(at),
    };
  },
});

/** @param timeZone as HubSpot names it (an IANA name); UTC if it is unknown or not one. */
export function zoneFormats(timeZone: string | null): ZoneFormats {
  return formats.memo(timeZone ?? "UTC");
}

/** "Nov 26, 2026, 9:00 AM (Europe/Berlin)": for stored sentences, which are read where no zone is named. */
export function localTime(at: Date, timeZone: string | null): string {
  const { zone, dateTime } = zoneFormats(timeZone);
  return `${dateTime(at)} (${zone})`;
}

/** "Nov 26, 2026", by the zone's calendar. */
export function localDay(at: Date, timeZone: string | null): string {
  return zoneFormats(timeZone).date(at);
}

/** "2026-11-26", by the zone's calendar: days in this form compare as texts. */
export function localIsoDay(at: Date, timeZone: string | null): string {
  return zoneFormats(timeZone).isoDay(at);
}
