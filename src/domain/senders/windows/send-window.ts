import { dayOfDate, LocalCalendar, MINUTES_PER_DAY, weekdayOf } from "#platform/time/local-calendar.js";
import type { AwayDates, SenderPolicy, SendWindow } from "#domain/contract/sender-policy.js";

/** When a sender sends, from {@link SenderPolicy}. */
export type SendSchedule = Pick<SenderPolicy, "window" | "away" | "timeZone">;

/** How far ahead to search for an opening: further away counts as never. */
export const HORIZON_DAYS = 400;

/** A span of time in which the answer to "when is it open next?" stays the same; all in ms, `untilMs` exclusive. */
export interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
  /** `now`: it is open all the time; a number: the instant at which it opens. */
  readonly opens: "now" | "never" | number;
}

interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Days, both ends included. */
interface DayRange {
  readonly from: number;
  readonly to: number;
}

const ALWAYS: Stretch = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, opens: "now" };

/** Absences as days, earliest first, none overlapping or touching another. */
function mergeAway(away: readonly AwayDates[]): DayRange[] {
  const ranges = away.flatMap(({ from, to }): DayRange[] => {
    const [first, last] = [dayOfDate(from), dayOfDate(to)];
    return first === undefined || last === undefined || last < first ? [] : [{ from: first, to: last }];
  });
  const merged: DayRange[] = [];
  for (const range of ranges.sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last === undefined || range.from > last.to + 1) merged.push(range);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return merged;
}

/**
 * When one sender's window is open. Days and minutes are those of the wall clock in the schedule's zone (UTC if the
 * zone is unknown), so a window keeps its hours over a change of clocks.
 *
 * An absence is skipped at once and a closed day costs one addition, so that an answer takes microseconds, whatever the
 * window and however long the absences.
 */
export class SendTimes {
  readonly #calendar: LocalCalendar;
  readonly #window: SendWindow | undefined;
  readonly #away: readonly DayRange[];

  constructor({ window, away, timeZone }: SendSchedule) {
    this.#calendar = new LocalCalendar(timeZone);
    this.#window = window;
    this.#away = mergeAway(away);
  }

  /** The answer for an instant, and the span in which it stays the same. */
  stretchAt(instantMs: number): Stretch {
    if (this.#window === undefined && this.#away.length === 0) return ALWAYS;
    const today = this.#calendar.dayAt(instantMs);
    let closedFromMs = this.#calendar.startOf(today);
    for (let day = today; day <= today + HORIZON_DAYS; day += 1) {
      const absence = this.#absenceOn(day);
      if (absence !== undefined) {
        day = absence.to;
        continue;
      }
      for (const { fromMs, toMs } of this.#piecesOf(day)) {
        if (toMs <= instantMs) closedFromMs = Math.max(closedFromMs, toMs);
        else if (fromMs <= instantMs) return { fromMs, untilMs: toMs, opens: "now" };
        else return { fromMs: closedFromMs, untilMs: fromMs, opens: fromMs };
      }
    }
    // The next day, one more day is within range.
    return { fromMs: closedFromMs, untilMs: this.#calendar.startOf(today + 1), opens: "never" };
  }

  #absenceOn(day: number): DayRange | undefined {
    return this.#away.find(({ from, to }) => from <= day && day <= to);
  }

  /** When it is open within one local day, earliest first. A window over midnight has a part in each of two days. */
  #piecesOf(day: number): Piece[] {
    if (this.#window === undefined) return this.#piecesBetween(day, [[0, MINUTES_PER_DAY]]);
    const { days, startMinute, endMinute } = this.#window;
    const isOverMidnight = endMinute <= startMinute;
    const minutes: [number, number][] = [];
    if (isOverMidnight && days.includes(weekdayOf(day - 1))) minutes.push([0, endMinute]);
    if (days.includes(weekdayOf(day)))
      minutes.push([startMinute, isOverMidnight ? MINUTES_PER_DAY : endMinute]);
    return minutes.length === 0 ? [] : this.#piecesBetween(day, minutes);
  }

  #piecesBetween(day: number, minutes: readonly (readonly [number, number])[]): Piece[] {
    const [startMs, endMs] = [this.#calendar.startOf(day), this.#calendar.startOf(day + 1)];
    return minutes
      .map(([from, to]) => ({
        fromMs: from === 0 ? startMs : this.#calendar.minuteOf(day, from),
        // A minute that a change of clocks skips may count as one of the next day.
        toMs: to === MINUTES_PER_DAY ? endMs : Math.min(endMs, this.#calendar.minuteOf(day, to)),
      }))
      .filter(({ fromMs, toMs }) => fromMs < toMs);
  }
}
