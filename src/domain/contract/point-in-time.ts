import { DateTime } from "luxon";
import { DAY_MS } from "#platform/time/units.js";

/** HubSpot's date values: milliseconds since 1970. Nine digits and more, so that a year is not taken for one. */
const MILLISECONDS = /^\d{9,14}$/;

/**
 * A date without a time is midnight UTC of its day in HubSpot: taken for that instant it would be the day before
 * anywhere west of Greenwich. A time of that very moment cannot be told from it.
 */
function parseMilliseconds(ms: number, zone: string): DateTime {
  const instant = DateTime.fromMillis(ms, { zone: "utc" });
  if (ms % DAY_MS !== 0) return instant;
  const inZone = instant.setZone(zone, { keepLocalTime: true });
  return inZone.isValid ? inZone : instant;
}

function parse(text: string, zone: string): DateTime {
  if (MILLISECONDS.test(text)) return parseMilliseconds(Number(text), zone);
  const inZone = DateTime.fromISO(text, { zone });
  return inZone.isValid ? inZone : DateTime.fromISO(text, { zone: "utc" });
}

/** Whether the text names an instant: milliseconds, an ISO 8601 date, or a date with time. */
export function isPointInTime(text: string): boolean {
  return MILLISECONDS.test(text) || (/^\d{4}-\d{2}-\d{2}(?:T|$)/.test(text) && parse(text, "utc").isValid);
}

/**
 * The instant a text names. A date alone, in HubSpot's milliseconds too, is its midnight, and a time without offset is
 * by the wall clock, in the zone given (UTC if that is unknown).
 */
export function pointInTime(text: string, timeZone: string | null): Date {
  return parse(text, timeZone ?? "utc").toJSDate();
}
