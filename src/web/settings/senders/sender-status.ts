import { knownZone, localIsoDay } from "#platform/time/local-time.js";
import type { AwayDates } from "#domain/contract/sender-policy.js";
import { clockTime } from "../words/changes.js";
import type { Format } from "../words/format.js";
import type { SenderItem, SendingHours } from "#domain/policy/sender-list.js";

/** What a sender does now, in one badge. */
export interface SenderStatus {
  readonly words: string;
  readonly tone: "enrolled" | "failed" | "waiting" | "";
}

export interface StatusFacts {
  /** Only approved users can send. */
  readonly onlyListed: boolean;
  readonly now: Date;
  /** Of the account. */
  readonly format: Format;
}

const REFUSED: Readonly<Record<string, string>> = {
  INBOX_NOT_CONNECTED: "Inbox not connected",
  SENDER_NOT_PERMITTED: "No seat or permission",
};

/** The first that keeps somebody from sending, in the order in which an admin would have to mend it; otherwise that they send. */
export function senderStatusOf(item: SenderItem, { onlyListed, now, format }: StatusFacts): SenderStatus {
  const { isActive, isAllowed, refusedCode, limitedUntil, sentLastDay, dailyCap, placeFreeAt } = item;
  if (!isActive) return { words: "Inactive", tone: "" };
  if (isAllowed === false) return { words: "Blocked by an admin", tone: "failed" };
  if (onlyListed && isAllowed !== true) return { words: "Not approved", tone: "failed" };
  if (refusedCode !== null) return { words: REFUSED[refusedCode] ?? "Rejected by HubSpot", tone: "failed" };
  if (limitedUntil !== null)
    return { words: `HubSpot limit until ${shortTime(limitedUntil, { now, format })}`, tone: "waiting" };
  if (sentLastDay >= dailyCap) {
    const until = placeFreeAt === null ? "" : ` until ${shortTime(placeFreeAt, { now, format })}`;
    return { words: `At cap${until}`, tone: "waiting" };
  }
  const back = lastDayAway(item, now, format);
  if (back !== undefined) return { words: `Away until ${back}`, tone: "waiting" };
  return { words: "Sending", tone: "enrolled" };
}

/** "8:25 AM" today, "Nov 27, 8:25 AM" on another day. */
function shortTime(at: Date, { now, format }: Pick<StatusFacts, "now" | "format">): string {
  const isToday = format.day(at) === format.day(now);
  return isToday ? format.time(at) : `${format.day(at)}, ${format.time(at)}`;
}

/** The last day of the time off that is under way, such as "Dec 2". */
function lastDayAway({ away, timeZone }: SenderItem, now: Date, format: Format): string | undefined {
  const today = localIsoDay(now, knownZone(timeZone ?? format.zoneName));
  const current = away.find(({ from, to }) => from <= today && today <= to);
  return current === undefined ? undefined : calendarDay(current.to);
}

/** "Away Dec 24–Jan 1": the next time off that has not begun; undefined: none is entered. */
export function nextTimeOff(
  { away, timeZone }: SenderItem,
  { now, format }: StatusFacts,
): string | undefined {
  const today = localIsoDay(now, knownZone(timeZone ?? format.zoneName));
  const [next] = away
    .filter(({ from }) => from > today)
    .sort((one, other) => one.from.localeCompare(other.from));
  if (next === undefined) return undefined;
  return `Away ${calendarDays(next)}`;
}

/** "Dec 24–Jan 1", "Dec 24". */
export function calendarDays({ from, to }: AwayDates): string {
  return [...new Set([from, to])].map(calendarDay).join("–");
}

const CALENDAR_DAY = new Intl.DateTimeFormat("en-US", { timeZone: "UTC", day: "numeric", month: "short" });

function calendarDay(isoDay: string): string {
  return CALENDAR_DAY.format(new Date(`${isoDay}T00:00:00Z`));
}

export const WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** "Sends Mon–Thu, Sat, 9:00 AM–5:00 PM"; undefined: at any time. */
export function hoursInWords({ days, startMinute, endMinute }: SendingHours): string | undefined {
  const parts = [
    days.length === 0 || days.length === 7 ? "" : daysInWords(days),
    startMinute === null || endMinute === null ? "" : `${clockTime(startMinute)}–${clockTime(endMinute)}`,
  ].filter(Boolean);
  return parts.length === 0 ? undefined : `Sends ${parts.join(", ")}`;
}

/** "Fri, Sun": the days on which nothing is sent; undefined: there is none. */
export function daysOff({ days }: Pick<SendingHours, "days">): string | undefined {
  if (days.length === 0 || days.length === 7) return undefined;
  return WEEK.filter((_, index) => !days.includes(index + 1)).join(", ");
}

/** Runs of three days and more are told by their ends. */
function daysInWords(days: readonly number[]): string {
  const runs: number[][] = [];
  for (const day of [...days].sort((one, other) => one - other)) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  const called = (day: number | undefined): string => WEEK[(day ?? 1) - 1] ?? "";
  return runs
    .map((run) => (run.length < 3 ? run.map(called).join(", ") : `${called(run[0])}–${called(run.at(-1))}`))
    .join(", ");
}
