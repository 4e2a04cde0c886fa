import { DateTime, FixedOffsetZone, type Zone } from "luxon";
import { DAY_MS, MINUTE_MS } from "./units.js";

export const MINUTES_PER_DAY = 1_440;
/** Questions are about a few days, and the same ones come again; a time zone lookup takes microseconds. */
const MAX_STARTS = 16;

/**
 * Days and minutes of a zone's wall clock as instants, in ms. A day is a number: days since 1 January 1970 by the
 * calendar, so that counting days costs nothing and only a requested instant is looked up in the zone.
 */
export class LocalCalendar {
  readonly #zone: Zone;
  readonly #starts = new Map<number, number>();

  /** @param timeZone IANA name; UTC if it is unknown. */
  constructor(timeZone: string) {
    const { zone, isValid } = DateTime.fromMillis(0, { zone: timeZone });
    this.#zone = isValid ? zone : FixedOffsetZone.utcInstance;
  }

  /** The local day of an instant. */
  dayAt(instantMs: number): number {
    return Math.floor((instantMs + this.#offsetMs(instantMs)) / DAY_MS);
  }

  /** The day's first instant: if a clock change skips midnight, the moment after it; of two midnights, the first. */
  startOf(day: number): number {
    const known = this.#starts.get(day);
    if (known !== undefined) return known;
    if (this.#starts.size >= MAX_STARTS) this.#starts.clear();
    const localMs = day * DAY_MS;
    const startMs = this.#instantOf(localMs, this.#offsetMs(localMs - DAY_MS));
    this.#starts.set(day, startMs);
    return startMs;
  }

  /** An instant of the day by its wall clock; a time that a clock change skips counts as that much after the gap. */
  minuteOf(day: number, minute: number): number {
    if (minute >= MINUTES_PER_DAY) return this.startOf(day + 1);
    return this.#instantOf(day * DAY_MS + minute * MINUTE_MS, this.#offsetMs(this.startOf(day)));
  }

  #offsetMs(instantMs: number): number {
    return this.#zone.offset(instantMs) * MINUTE_MS;
  }

  /** Of two instants with the same wall clock time, the one with the expected offset. */
  #instantOf(localMs: number, expectedMs: number): number {
    const offsetMs = this.#offsetMs(localMs - expectedMs);
    if (offsetMs === expectedMs) return localMs - offsetMs;
    const otherMs = this.#offsetMs(localMs - offsetMs);
    return localMs - Math.min(offsetMs, otherMs);
  }
}

/** 1 Monday to 7 Sunday. 1 January 1970 was a Thursday. */
export function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** The day of a date such as 2026-11-26; undefined if it is not one. */
export function dayOfDate(date: string): number | undefined {
  const [, year, month, ofMonth] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  const instantMs =
    year === undefined ? Number.NaN : Date.UTC(Number(year), Number(month) - 1, Number(ofMonth));
  return Number.isNaN(instantMs) ? undefined : instantMs / DAY_MS;
}
