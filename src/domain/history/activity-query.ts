import type { Request } from "express";
import {
  executionFilterSchema,
  LONGEST_SEARCH,
  type ExecutionFilter,
} from "#domain/contract/execution-filter.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { localIsoDay } from "#platform/time/local-time.js";
import { startOfDay } from "#platform/time/zoned-day.js";
import { HOUR_MS } from "#platform/time/units.js";

/** Query parameters of the activity pages; each is a filter, and each can be linked to. */
export const QUERY_FIELDS = [
  "q",
  "status",
  "code",
  "kind",
  "sequence",
  "sender",
  "skipped",
  "workflow",
  "contact",
  "ids",
  "since",
  "from",
  "to",
  "decided",
  "decided_before",
  "enrolled",
  "retries",
] as const;
export type QueryField = (typeof QUERY_FIELDS)[number];

/** A filter as a URL carries it. */
export interface ActivityQuery {
  readonly filter: ExecutionFilter;
  /** The parameters that were understood, as given: for links and for filling in the form again. */
  readonly given: Readonly<Partial<Record<QueryField, string>>>;
  /**
   * Parameters that make no sense or were given twice. They do not filter, and the page says so, since the list shows
   * more than was asked for. Bulk actions are refused while there are any.
   */
  readonly ignored: readonly QueryField[];
}

/** Where a page of the list begins: below or above an id. */
export type Position = { readonly before?: ExecutionId; readonly after?: ExecutionId };

const FILTER_KEYS = {
  q: "search",
  status: "outcome",
  code: "code",
  kind: "kind",
  sequence: "sequenceId",
  sender: "senderUserId",
  skipped: "skippedUserId",
  workflow: "workflowId",
  contact: "contactId",
  ids: "ids",
  retries: "retries",
} as const satisfies Partial<Record<QueryField, keyof ExecutionFilter>>;

/** Stands for every action; without it the page shows only those that enroll. */
export const ALL_KINDS = "all";

/** What the list shows as long as an address says nothing: what was enrolled, and each contact's visit to a workflow once. */
export const OPEN_LIST = { kind: "ENROLL", retries: "without" } as const satisfies ActivityQuery["given"];

/** What narrows the list further than it is as it opens. */
export function narrowingOf(given: ActivityQuery["given"]): ActivityQuery["given"] {
  const { kind: _, retries, ...others } = given;
  return retries === undefined || retries === OPEN_LIST.retries ? others : { ...others, retries };
}

interface Clock {
  readonly now: Date;
  /** IANA name of the portal's zone. */
  readonly timeZone: string;
}

/**
 * @param query a URL's parameters, or a form's fields. `since`, `decided`, `decided_before` and `enrolled` are relative
 *   (`24h`, `7d`) or a moment in ISO 8601; `since` also `today` or `yesterday`, `to` a day, too.
 */
export function readActivityQuery(query: Readonly<Record<string, unknown>>, clock: Clock): ActivityQuery {
  const given: Partial<Record<QueryField, string>> = {};
  const ignored: QueryField[] = [];
  const filter: Record<string, unknown> = {};
  for (const field of QUERY_FIELDS) {
    const value = query[field];
    const text = typeof value === "string" ? value.replaceAll("\0", "").trim() : undefined;
    if (value === undefined || text === "") continue;
    const part =
      text === undefined || text.length > LONGEST_SEARCH ? undefined : readField(field, text, clock);
    if (text === undefined || part === undefined) {
      ignored.push(field);
      continue;
    }
    given[field] = text;
    const { since, until } = filter;
    Object.assign(filter, part);
    // Of two start times the later one counts; of two ends, the earlier one.
    if (typeof since === "string" && part.since !== undefined && since > part.since) filter["since"] = since;
    if (typeof until === "string" && part.until !== undefined && until < part.until) filter["until"] = until;
  }
  const parsed = executionFilterSchema.safeParse(filter);
  if (parsed.success) return { filter: parsed.data, given, ignored };
  return { filter: {}, given: {}, ignored: QUERY_FIELDS.filter((field) => query[field] !== undefined) };
}

function readField(field: QueryField, text: string, clock: Clock): Partial<ExecutionFilter> | undefined {
  switch (field) {
    case "since":
      return readDays(text, clock) ?? moment(readSince(text, clock), "since");
    case "decided":
      return moment(readSince(text, clock), "decidedSince");
    case "decided_before":
      return moment(readSince(text, clock), "decidedUntil");
    case "enrolled":
      return moment(readSince(text, clock), "enrolledSince");
    case "from":
      return moment(startOfDay(text, clock.timeZone), "since");
    case "to":
      return moment(startOfDay(text, clock.timeZone, 1) ?? readSince(text, clock), "until");
    case "kind":
      return text === ALL_KINDS ? {} : readFilterField("kind", text);
    default:
      return readFilterField(field, text);
  }
}

function readFilterField(
  field: keyof typeof FILTER_KEYS,
  text: string,
): Partial<ExecutionFilter> | undefined {
  const key = FILTER_KEYS[field];
  const parsed = executionFilterSchema.shape[key].safeParse(key === "ids" ? text.split(",") : text);
  return parsed.success ? { [key]: parsed.data } : undefined;
}

/** Also undefined for years outside the app's lifetime, which the database may not know. */
function moment(
  date: Date | undefined,
  key: "since" | "until" | "decidedSince" | "decidedUntil" | "enrolledSince",
): Partial<ExecutionFilter> | undefined {
  const parsed = executionFilterSchema.shape[key].safeParse(date?.toISOString());
  return parsed.success && parsed.data !== undefined ? { [key]: parsed.data } : undefined;
}

/** `today` or `yesterday` by the portal's calendar. */
function readDays(text: string, { now, timeZone }: Clock): Partial<ExecutionFilter> | undefined {
  if (text !== "today" && text !== "yesterday") return undefined;
  const today = localIsoDay(now, timeZone);
  const from = startOfDay(today, timeZone, text === "today" ? 0 : -1);
  const since = moment(from, "since");
  return text === "today" ? since : { ...since, ...moment(startOfDay(today, timeZone), "until") };
}

function readSince(text: string, { now }: Clock): Date | undefined {
  const relative = /^(\d{1,4})([hd])$/.exec(text);
  if (relative !== null) {
    const hours = Number(relative[1]) * (relative[2] === "d" ? 24 : 1);
    return new Date(now.getTime() - hours * HOUR_MS);
  }
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) && !Number.isNaN(Date.parse(text))
    ? new Date(text)
    : undefined;
}

export function readPosition({ query }: Request): Position {
  const id = (value: unknown) =>
    typeof value === "string" && /^\d{1,18}$/.test(value) ? BigInt(value) : undefined;
  const [before, after] = [id(query["before"]), id(query["after"])];
  if (before !== undefined) return { before };
  return after === undefined ? {} : { after };
}

const MOMENT_FIELDS = {
  since: "since",
  to: "until",
  decided: "decidedSince",
  decided_before: "decidedUntil",
  enrolled: "enrolledSince",
} as const satisfies Partial<Record<QueryField, keyof ExecutionFilter>>;

/** The parameters that are equivalent to a stored filter. */
export function givenBy(filter: ExecutionFilter): ActivityQuery["given"] {
  const fields = Object.entries({ ...FILTER_KEYS, ...MOMENT_FIELDS }) as [
    QueryField,
    keyof ExecutionFilter,
  ][];
  return Object.fromEntries(
    fields.flatMap(([field, key]) => (filter[key] === undefined ? [] : [[field, String(filter[key])]])),
  );
}

/** A URL with the filter and, if given, more. */
export function addressWith(
  path: string,
  given: ActivityQuery["given"],
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({ ...given, ...more }).toString();
  return query === "" ? path : `${path}?${query}`;
}
