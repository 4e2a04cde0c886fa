import {
  DEFAULT_DAILY_CAP,
  type AwayDates,
  type SenderPolicy,
  type SenderRefusal,
} from "#domain/contract/sender-policy.js";
import { windowOf, type StoredWindow } from "./stored-window.js";

/** As read; `toSender` applies the defaults. */
export interface SenderRow extends StoredWindow {
  user_id: string;
  is_allowed: boolean | null;
  send_as_email: string | null;
  sender_alias: string | null;
  daily_cap: number | null;
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

/** What applies to a sender without settings. */
export interface SenderDefaults {
  readonly isAllowed: boolean;
  readonly timeZone: string;
}

export function toSender(row: SenderRow, defaults: SenderDefaults): SenderPolicy {
  return {
    userId: BigInt(row.user_id),
    isAllowed: row.is_allowed ?? defaults.isAllowed,
    sendAsEmail: row.send_as_email,
    senderAlias: row.sender_alias,
    dailyCap: row.daily_cap ?? DEFAULT_DAILY_CAP,
    window: windowOf(row),
    away: Array.isArray(row.away) ? row.away.filter(isAwayDates) : [],
    timeZone: row.time_zone ?? defaults.timeZone,
    refusal: refusalOf(row),
    limitedUntil: row.limited_until === null ? undefined : new Date(row.limited_until),
  };
}
