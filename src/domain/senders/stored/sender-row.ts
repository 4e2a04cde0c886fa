import {
  DEFAULT_DAILY_CAP,
  type AwayDates,
  type SenderPolicy,
  type SenderRefusal,
} from "#domain/contract/sender-policy.js";

/** As read; `toSender` applies the defaults. */
export interface SenderRow {
  user_id: string;
  is_allowed: boolean | null;
  send_as_email: string | null;
  sender_alias: string | null;
  daily_cap: number | null;
  window_days: number[] | null;
  window_start_minute: number | null;
  window_end_minute: number | null;
  time_zone: string | null;
  away: unknown;
  refused_code: string | null;
  refused_message: string | null;
  refused_at: string | null;
  limited_until: string | null;
}

function isAwayDates(entry: unknown): entry is AwayDates {
  const { from, to } = (entry ?? {}) as Partial<Record<keyof AwayDates, unknown>>;
  return typeof from === "string" && typeof to === "string";
}

function refusalOf(row: SenderRow): SenderRefusal | undefined {
  const { refused_code: code, refused_at: at } = row;
  if (at === null || (code !== "INBOX_NOT_CONNECTED" && code !== "SENDER_NOT_PERMITTED")) return undefined;
  return { code, message: row.refused_message, at: new Date(at) };
}

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

/** What applies to a sender without settings. */
export interface SenderDefaults {
  readonly isAllowed: boolean;
  readonly timeZone: string;
}

export function toSender(row: SenderRow, defaults: SenderDefaults): SenderPolicy {
  const { window_days: days, window_start_minute: startMinute, window_end_minute: endMinute } = row;
  const hasDays = days !== null && days.length > 0;
  const isAllDay = startMinute === null || endMinute === null;
  return {
    userId: BigInt(row.user_id),
    isAllowed: row.is_allowed ?? defaults.isAllowed,
    sendAsEmail: row.send_as_email,
    senderAlias: row.sender_alias,
    dailyCap: row.daily_cap ?? DEFAULT_DAILY_CAP,
    window:
      isAllDay && !hasDays
        ? undefined
        : {
            days: hasDays ? days : EVERY_DAY,
            startMinute: isAllDay ? 0 : startMinute,
            endMinute: isAllDay ? 1_440 : endMinute,
          },
    away: Array.isArray(row.away) ? row.away.filter(isAwayDates) : [],
    timeZone: row.time_zone ?? defaults.timeZone,
    refusal: refusalOf(row),
    limitedUntil: row.limited_until === null ? undefined : new Date(row.limited_until),
  };
}
