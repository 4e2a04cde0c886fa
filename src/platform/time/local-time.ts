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

const DAY = { day: "numeric", month: "short", year: "numeric" } as const;

/** Of one zone. */
interface Formats {
  /** As a sentence names it. */
  readonly name: string;
  readonly time: Intl.DateTimeFormat;
  readonly day: Intl.DateTimeFormat;
}

const formats = new LRUCache<string, Formats>({
  max: MAX_ZONES,
  memoMethod: (asked) => {
    const timeZone = knownZone(asked);
    return {
      name: timeZone === "utc" ? "UTC" : timeZone.replaceAll("_", " "),
      time: new Intl.DateTimeFormat("en-GB", { ...DAY, timeZone, hour: "2-digit", minute: "2-digit" }),
      day: new Intl.DateTimeFormat("en-GB", { ...DAY, timeZone }),
    };
  },
});

/** "26 Nov 2026, 09:00 (Europe/Berlin)": for stored sentences, which are read where no zone is named. */
export function localTime(at: Date, timeZone: string | null): string {
  const { name, time } = formats.memo(timeZone ?? "UTC");
  return `${time.format(at)} (${name})`;
}

/** "26 Nov 2026", by the zone's calendar. */
export function localDay(at: Date, timeZone: string | null): string {
  return formats.memo(timeZone ?? "UTC").day.format(at);
}
