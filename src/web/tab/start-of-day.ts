import { DAY_MS } from "#platform/time/units.js";

/** The instant at which the day of `now` began on the clocks of a zone, also on the days that clocks are changed. */
export function startOfToday(now: Date, timeZone: string): Date {
  const midnight = Math.floor(wallClock(now, timeZone) / DAY_MS) * DAY_MS;
  // The offset of now may not be that of midnight; the offset at the first guess is.
  const guess = midnight - offsetMs(now, timeZone);
  return new Date(midnight - offsetMs(new Date(guess), timeZone));
}

function offsetMs(instant: Date, timeZone: string): number {
  return wallClock(instant, timeZone) - Math.floor(instant.getTime() / 1_000) * 1_000;
}

/** What a clock in the zone shows, as if it were UTC; epoch milliseconds, whole seconds. */
function wallClock(instant: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((candidate) => candidate.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
}
