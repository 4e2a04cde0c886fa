import { MINUTE_MS } from "#platform/time/units.js";

/**
 * When a day begins in a time zone.
 *
 * @param day `YYYY-MM-DD`.
 * @param later days to add, by the calendar: a day in which the clocks change is not 24 hours long.
 * @returns undefined if `day` is not a date.
 */
export function startOfDay(day: string, timeZone: string, later = 0): Date | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (parts === null) return undefined;
  const [year, month, date] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (new Date(Date.UTC(year, month - 1, date)).toISOString().slice(0, 10) !== day) return undefined;
  const asUtcMs = Date.UTC(year, month - 1, date + later);
  // The offset is known for a moment, not for a wall clock: the first guess is at most a day off, the second is right.
  const guessMs = asUtcMs - offsetMinutes(asUtcMs, timeZone) * MINUTE_MS;
  return new Date(asUtcMs - offsetMinutes(guessMs, timeZone) * MINUTE_MS);
}

/** How far the zone's clocks are ahead of UTC at a moment. */
function offsetMinutes(atMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const name = format.formatToParts(atMs).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(name);
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}
