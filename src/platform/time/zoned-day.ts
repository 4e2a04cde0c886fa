import { dayOfDate, LocalCalendar, weekdayOf } from "./local-calendar.js";
import { knownZone } from "./local-time.js";
import { DAY_MS } from "./units.js";

/**
 * When a day begins in a time zone.
 *
 * @param date `YYYY-MM-DD`.
 * @param later days to add, by the calendar: a day in which the clocks change is not 24 hours long.
 * @returns undefined if there is no such date.
 */
export function startOfDay(date: string, timeZone: string, later = 0): Date | undefined {
  const day = dayOfDate(date);
  if (day === undefined || isoDate(day) !== date) return undefined;
  return new Date(calendarOf(timeZone).startOf(day + later));
}

/** The instant at which the day of `now` began on the clocks of a zone, also on the days that clocks are changed. */
export function startOfToday(now: Date, timeZone: string): Date {
  const calendar = calendarOf(timeZone);
  return new Date(calendar.startOf(calendar.dayAt(now.getTime())));
}

/** A week of a zone's calendar, from Monday on. */
export interface Week {
  /** Its Monday, as `YYYY-MM-DD`. */
  readonly monday: string;
  readonly startsAt: Date;
}

/** The weeks from the one that `from` lies in to the one of `to`, oldest first. An unknown zone is taken for UTC. */
export function weeksBetween(from: Date, to: Date, zone: string | null): [Week, ...Week[]] {
  const calendar = calendarOf(zone);
  const day = calendar.dayAt(from.getTime());
  const weekAt = (index: number): Week => {
    const monday = day - (weekdayOf(day) - 1) + 7 * index;
    return { monday: isoDate(monday), startsAt: new Date(calendar.startOf(monday)) };
  };
  const weeks: [Week, ...Week[]] = [weekAt(0)];
  for (let week = weekAt(1); week.startsAt <= to; week = weekAt(weeks.length)) weeks.push(week);
  return weeks;
}

const calendarOf = (zone: string | null): LocalCalendar => new LocalCalendar(knownZone(zone));

const isoDate = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
