import { DateTime } from "luxon";

/** HubSpot's date values: milliseconds since 1970. Nine digits and more, so that a year is not taken for one. */
const MILLISECONDS = /^\d{9,14}$/;

function parse(text: string, zone: string): DateTime {
  if (MILLISECONDS.test(text)) return DateTime.fromMillis(Number(text));
  const inZone = DateTime.fromISO(text, { zone });
  return inZone.isValid ? inZone : DateTime.fromISO(text, { zone: "utc" });
}

/** Whether the text names an instant: milliseconds, an ISO 8601 date, or a date with time. */
export function isPointInTime(text: string): boolean {
  return MILLISECONDS.test(text) || (/^\d{4}-\d{2}-\d{2}(?:T|$)/.test(text) && parse(text, "utc").isValid);
}

/**
 * The instant a text names. A date alone is its midnight, and a time without offset is by the wall clock, in the zone
 * given (UTC where that is unknown).
 */
export function pointInTime(text: string, timeZone: string | null): Date {
  return parse(text, timeZone ?? "utc").toJSDate();
}
