import type { SendWindow } from "#domain/contract/sender-policy.js";

/** Columns of `senders`. */
export interface StoredWindow {
  window_days: number[] | null;
  /** Minutes after midnight. */
  window_start_minute: number | null;
  window_end_minute: number | null;
}

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

/** When a sender may send; undefined: at any time. */
export function windowOf({
  window_days: days,
  window_start_minute: startMinute,
  window_end_minute: endMinute,
}: StoredWindow): SendWindow | undefined {
  const hasDays = days !== null && days.length > 0;
  const isAllDay = startMinute === null || endMinute === null;
  if (isAllDay && !hasDays) return undefined;
  return {
    days: hasDays ? days : EVERY_DAY,
    startMinute: isAllDay ? 0 : startMinute,
    endMinute: isAllDay ? 1_440 : endMinute,
  };
}
