import { DateTime } from "luxon";
import type { SendSchedule } from "#domain/senders/windows/send-window.js";

/** How far ahead an opening is looked for: further away counts as never. */
const HORIZON_DAYS = 400;
const MINUTES_PER_DAY = 1_440;

interface Piece {
  readonly from: DateTime;
  readonly to: DateTime;
}

/** An instant of a local day by the wall clock; one that a change of clocks skips counts as the moment after the gap. */
function wallClock(day: DateTime, minute: number): DateTime {
  if (minute >= MINUTES_PER_DAY)
    return wallClock(day.plus({ days: 1 }).startOf("day"), minute - MINUTES_PER_DAY);
  return day.set({ hour: Math.floor(minute / 60), minute: minute % 60, second: 0, millisecond: 0 });
}

function isAway(day: DateTime, { away }: SendSchedule): boolean {
  const date = day.toISODate() ?? "";
  return away.some(({ from, to }) => from <= date && date <= to);
}

/** When the schedule is open within one local day, earliest first. A window over midnight leaves a piece in two days. */
function piecesOf(day: DateTime, schedule: SendSchedule): Piece[] {
  if (isAway(day, schedule)) return [];
  const nextDay = day.plus({ days: 1 }).startOf("day");
  const { window } = schedule;
  if (window === undefined) return [{ from: day, to: nextDay }];
  const { days, startMinute, endMinute } = window;
  const isOverMidnight = endMinute <= startMinute;
  const pieces: Piece[] = [];
  if (isOverMidnight && days.includes(day.minus({ days: 1 }).weekday))
    pieces.push({ from: day, to: wallClock(day, endMinute) });
  if (days.includes(day.weekday)) {
    pieces.push({
      from: wallClock(day, startMinute),
      to: isOverMidnight ? nextDay : wallClock(day, endMinute),
    });
  }
  return pieces.filter(({ from, to }) => from < to);
}

function inZone(at: Date, timeZone: string): DateTime {
  const local = DateTime.fromJSDate(at, { zone: timeZone });
  return local.isValid ? local : DateTime.fromJSDate(at, { zone: "utc" });
}

/**
 * The plain way to find out when a schedule is open next: day by day. Too slow to choose senders by (up to 25 ms an
 * answer), and so simple that the quick way is held against it.
 */
export function plainOpensAt(schedule: SendSchedule, at: Date): Date | undefined {
  const local = inZone(at, schedule.timeZone);
  let day = local.startOf("day");
  for (let count = 0; count <= HORIZON_DAYS; count += 1) {
    for (const { from, to } of piecesOf(day, schedule)) {
      if (to <= local) continue;
      return from <= local ? at : from.toJSDate();
    }
    day = day.plus({ days: 1 }).startOf("day");
  }
  return undefined;
}
