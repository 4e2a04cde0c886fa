import { knownZone } from "./local-time.js";
import { DAY_MS, MINUTE_MS } from "./units.js";

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

/** The day that a moment lies in by a zone's calendar, as `YYYY-MM-DD`. */
export function dayOf(at: Date, timeZone: string): string {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return format.format(at);
}

/** The instant at which the day of `now` began on the clocks of a zone, also on the days that clocks are changed. */
export const startOfToday = (now: Date, timeZone: string): Date =>
  startOfDay(dayOf(now, timeZone), timeZone) as Date;

/** A week of a zone's calendar, from Monday on. */
export interface Week {
  /** Its Monday, as `YYYY-MM-DD`. */
  readonly monday: string;
  readonly startsAt: Date;
}

/** The weeks from the one that `from` lies in to the one of `to`, oldest first. An unknown zone is taken for UTC. */
export function weeksBetween(from: Date, to: Date, zone: string | null): [Week, ...Week[]] {
  const timeZone = knownZone(zone);
  const day = new Date(dayOf(from, timeZone));
  const sinceMonday = (day.getUTCDay() + 6) % 7;
  const weekAt = (index: number): Week => {
    const monday = new Date(day.getTime() + (7 * index - sinceMonday) * DAY_MS).toISOString().slice(0, 10);
    return { monday, startsAt: startOfDay(monday, timeZone) as Date };
  };
  const weeks: [Week, ...Week[]] = [weekAt(0)];
  for (let week = weekAt(1); week.startsAt <= to; week = weekAt(weeks.length)) weeks.push(week);
  return weeks;
}
