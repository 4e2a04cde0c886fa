import type { SenderChoices } from "#domain/policy/sender-store.js";
import { clockTime } from "../words/changes.js";
import { calendarDays } from "./sender-status.js";

const DAYS = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];
const AND = new Intl.ListFormat("en-US");

/** Changes that are told one by one; more are counted. */
const MOST_TOLD = 3;

/** How each choice is told, by its name. */
const WORDS: Readonly<Record<string, (choices: SenderChoices) => string>> = {
  isAllowed: ({ isAllowed }) =>
    isAllowed === null
      ? "can send if the account's rule allows it"
      : isAllowed
        ? "can always send"
        : "can't send",
  windowDays: ({ windowDays }) => daysInWords(windowDays),
  hours: ({ windowStartMinute: from, windowEndMinute: to }) =>
    from === null || to === null ? "sending all day" : `sending ${clockTime(from)}–${clockTime(to)}`,
  dailyCap: ({ dailyCap }) =>
    dailyCap === null ? "the default daily cap" : `daily cap ${dailyCap.toLocaleString("en-US")}`,
  away: ({ away }) => (away.length === 0 ? "no time off" : `time off ${away.map(calendarDays).join(", ")}`),
  sendAsEmail: ({ sendAsEmail }) =>
    sendAsEmail === null ? "no other inbox address" : `inbox address ${sendAsEmail}`,
  senderAlias: ({ senderAlias }) => (senderAlias === null ? "no alias" : `alias ${senderAlias}`),
  timeZone: ({ timeZone }) => (timeZone === null ? "the account's time zone" : `time zone ${timeZone}`),
};

/** "Priya Raman: no sending on Fridays"; the name alone if nothing changed. */
export function savedSender(name: string, before: SenderChoices, after: SenderChoices): string {
  const told = Object.values(WORDS)
    .filter((say) => say(before) !== say(after))
    .map((say) => say(after));
  if (told.length === 0) return name;
  const more = told.length > MOST_TOLD ? [`${told.length - MOST_TOLD} more`] : [];
  return `${name}: ${[...told.slice(0, MOST_TOLD), ...more].join("; ")}`;
}

/** Days off are what an admin has in mind, as long as they are the fewer ones. */
function daysInWords(days: readonly number[]): string {
  if (days.length === 0) return "sending every day";
  const named = (isOn: boolean) => AND.format(DAYS.filter((_, index) => days.includes(index + 1) === isOn));
  return days.length > 3 ? `no sending on ${named(false)}` : `sending only on ${named(true)}`;
}
