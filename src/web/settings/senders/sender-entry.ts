import { z } from "zod";
import { MAX_DAILY_CAP, type AwayDates } from "#domain/contract/sender-policy.js";
import type { SenderChoices } from "#domain/policy/sender-store.js";
import { fieldTime } from "../words/changes.js";
import { isTimeZone } from "../words/format.js";
import { problemsOf, type Problems } from "../frame/problems.js";
import type { FormFields } from "#web/kit/form-fields.js";

/** A sender's form as texts: what was saved, or what was typed, right or wrong. */
export interface SenderEntry {
  allowed: string;
  send_as_email: string;
  sender_alias: string;
  daily_cap: string;
  days: readonly string[];
  window_from: string;
  window_to: string;
  time_zone: string;
  away: readonly AwayDates[];
}

const LONGEST_TEXT = 200;
const MAX_AWAY = 50;
const END_OF_DAY = 1_440;

export function readSenderEntry(form: FormFields): SenderEntry {
  const away = readAway(form);
  return {
    allowed: form.text("allowed"),
    send_as_email: form.text("send_as_email"),
    sender_alias: form.text("sender_alias"),
    daily_cap: form.text("daily_cap"),
    days: form.texts("days"),
    window_from: form.text("window_from"),
    window_to: form.text("window_to"),
    time_zone: form.text("time_zone"),
    away: away.filter(({ from, to }) => from !== "" || to !== ""),
  };
}

/** The rows of time off as they are typed, blank ones too. */
function readAway(form: FormFields): AwayDates[] {
  const until = form.texts("away_to");
  return form.texts("away_from").map((from, index) => ({ from, to: until[index] ?? "" }));
}

/** The rows of time off after one was added or removed; undefined if the form was sent to be saved. */
export function editedAway(form: FormFields): AwayDates[] | undefined {
  const rows = readAway(form);
  if (form.has("add_away")) return rows.length < MAX_AWAY ? [...rows, { from: "", to: "" }] : rows;
  if (form.has("remove_away")) return rows.filter((_, index) => String(index) !== form.text("remove_away"));
  return undefined;
}

/** What was saved, as the form shows it. Midnight as the end is 00:00, as clocks have no 24:00. */
export function senderEntryOf(choices: SenderChoices): SenderEntry {
  const { isAllowed, dailyCap, windowStartMinute, windowEndMinute } = choices;
  return {
    allowed: isAllowed === null ? "" : isAllowed ? "yes" : "no",
    send_as_email: choices.sendAsEmail ?? "",
    sender_alias: choices.senderAlias ?? "",
    daily_cap: dailyCap === null ? "" : String(dailyCap),
    days: choices.windowDays.map(String),
    window_from: windowStartMinute === null ? "" : fieldTime(windowStartMinute),
    window_to: windowEndMinute === null ? "" : fieldTime(windowEndMinute % END_OF_DAY),
    time_zone: choices.timeZone ?? "",
    away: choices.away,
  };
}

const emailAddress = z.email().max(LONGEST_TEXT);

const alias = z
  .string()
  .max(LONGEST_TEXT, `Use up to ${LONGEST_TEXT} characters for the alias.`)
  .transform((text) => (text === "" ? null : text));

const time = z
  .string()
  .regex(
    /^(?:(?:[01]\d|2[0-3]):[0-5]\d)?$/,
    "Enter the start and end of the sending hours as times, such as 09:00.",
  )
  .transform((text) => (text === "" ? null : Number(text.slice(0, 2)) * 60 + Number(text.slice(3))));

const AWAY_PROBLEM = "Enter a first and last day for each time off.";
const awayDay = z.iso.date(AWAY_PROBLEM);
const awayDates = z.object({ from: awayDay, to: awayDay }).refine(({ from, to }) => from <= to, AWAY_PROBLEM);

const senderForm = z.object({
  allowed: z
    .enum(["", "yes", "no"], "Choose whether this user can send.")
    .transform((text) => (text === "" ? null : text === "yes")),
  send_as_email: z
    .string()
    .refine(
      (text) => text === "" || emailAddress.safeParse(text).success,
      "Enter the full inbox address, such as ann@example.com.",
    )
    .transform((text) => (text === "" ? null : text)),
  sender_alias: alias,
  daily_cap: z
    .string()
    .refine(
      (text) => text === "" || (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_DAILY_CAP),
      `Enter a daily cap from 1 to ${MAX_DAILY_CAP.toLocaleString("en-US")}, HubSpot's limit for one inbox.`,
    )
    .transform((text) => (text === "" ? null : Number(text))),
  days: z
    .array(z.string().regex(/^[1-7]$/, "Choose days of the week."))
    .transform((days) => [...new Set(days.map(Number))].sort()),
  window_from: time,
  window_to: time,
  time_zone: z
    .string()
    .refine((zone) => zone === "" || isTimeZone(zone), "Choose the time zone from the list.")
    .transform((zone) => (zone === "" ? null : zone)),
  away: z.array(awayDates).max(MAX_AWAY, `You can add up to ${MAX_AWAY}. Remove old ones first.`),
});

/** What was typed as choices, or what is wrong with it by field. */
export function parseSenderEntry(entry: SenderEntry): { draft: SenderChoices } | { problems: Problems } {
  const parsed = senderForm.safeParse(entry);
  if (!parsed.success) return { problems: nameAway(problemsOf(parsed.error)) };
  const { window_from: from, window_to: to, ...typed } = parsed.data;
  const until = to === 0 ? END_OF_DAY : to;
  if ((from === null) !== (until === null)) {
    const missing = from === null ? "window_from" : "window_to";
    return { problems: { [missing]: "Enter both times, or leave both blank for all day." } };
  }
  if (from !== null && until === from)
    return {
      problems: {
        window_to: "Start and end time can't be the same. Leave both blank for all day.",
      },
    };
  return {
    draft: {
      isAllowed: typed.allowed,
      sendAsEmail: typed.send_as_email,
      senderAlias: typed.sender_alias,
      dailyCap: typed.daily_cap,
      windowDays: typed.days.length === 7 ? [] : typed.days,
      windowStartMinute: from,
      windowEndMinute: until,
      timeZone: typed.time_zone,
      away: typed.away,
    },
  };
}

/** A problem of the list belongs to its first field, as only that has an id. */
function nameAway({ away, ...others }: Record<string, string>): Problems {
  return away === undefined ? others : { ...others, away_from: away };
}
