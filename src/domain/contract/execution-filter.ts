import { z } from "zod";
import { contactName } from "./actions/contact-name.js";
import { ERROR_CODES } from "./error-codes.js";
import { EXECUTION_KINDS } from "./execution.js";

/** Outcomes that an admin can filter by. `answered`: an action other than enrolling has its result. */
export const OUTCOMES = ["waiting", "enrolled", "already-enrolled", "skipped", "failed", "answered"] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** Each outcome in SQL; `outcomeOf` of the settings site reads the same columns. */
export const OUTCOME_CONDITIONS: Readonly<Record<OutcomeName, string>> = {
  waiting: "enrollment_status IS NULL AND decided_at IS NULL",
  enrolled: "enrollment_status = 'ENROLLED'",
  "already-enrolled": "enrollment_status = 'ALREADY_ENROLLED'",
  skipped: "enrollment_status = 'SKIPPED'",
  failed: "enrollment_status = 'FAILED'",
  answered: "enrollment_status IS NULL AND decided_at IS NOT NULL",
};

/** Whether an admin's retries are among them, in SQL. */
export const RETRIES_CONDITIONS = { without: "retry_of IS NULL", only: "retry_of IS NOT NULL" } as const;

/** Limits the year to what the database and every calendar here can handle, even one day later. */
const moment = z.iso.datetime().refine((text) => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1970 && year <= 9998;
});

/** A list of some two hundred addresses: what fits into an address bar. */
export const LONGEST_SEARCH = 6_000;

const hubspotId = z.string().regex(/^\d{1,18}$/);

/** Stands for a sender: nobody was to send, as of a contact without an owner. */
export const NO_SENDER = "none";

/** More than a page of the list holds. */
const MOST_CHOSEN = 100;

/** Selects executions of a portal. A missing field does not filter. Stored with a bulk job in this form. */
export const executionFilterSchema = z.strictObject({
  outcome: z.enum(OUTCOMES).optional(),
  code: z.enum(ERROR_CODES).optional(),
  /** `OTHER`: every action but the one that enrolls. */
  kind: z.enum([...EXECUTION_KINDS, "OTHER"]).optional(),
  sequenceId: hubspotId.optional(),
  senderUserId: hubspotId.or(z.literal(NO_SENDER)).optional(),
  /** A sender who was considered and could not send. */
  skippedUserId: hubspotId.optional(),
  workflowId: hubspotId.optional(),
  contactId: hubspotId.optional(),
  /** Executions that were chosen one by one. */
  ids: z.array(hubspotId).min(1).max(MOST_CHOSEN).optional(),
  /** `without` leaves out what an admin retried; what remains are the workflows' own calls. `only`: the others. */
  retries: z.enum(["without", "only"]).optional(),
  /** An id (contact, callback, execution), any part of a name or an address, or a list of addresses and contact ids. */
  search: z
    .string()
    .trim()
    .min(1)
    .max(LONGEST_SEARCH)
    .refine((text) => !text.includes("\0"))
    .optional(),
  /** Accepted at or after, and before; ISO 8601. */
  since: moment.optional(),
  until: moment.optional(),
  /** Decided at or after, and before; enrolled at or after. */
  decidedSince: moment.optional(),
  decidedUntil: moment.optional(),
  enrolledSince: moment.optional(),
});

export type ExecutionFilter = z.output<typeof executionFilterSchema>;

const literal = (search: string): string => search.toLowerCase().replace(/[\\%_]/g, "\\$&");

/** `LIKE` pattern of the addresses that begin with a search, which an index finds in the whole history. */
export function beginningPattern(search: string): string {
  return `${literal(search)}%`;
}

/** `LIKE` pattern of the names and addresses that contain a search. */
export function partPattern(search: string): string {
  return `%${literal(search)}%`;
}

/** Addresses, in lower case, and contact ids. */
export interface SearchedList {
  readonly addresses: readonly string[];
  readonly contactIds: readonly string[];
}

/** The search as a list, separated by commas, semicolons, spaces or line breaks; undefined if it is not a list. */
export function searchedList(search: string): SearchedList | undefined {
  const parts = [
    ...new Set(
      search
        .toLowerCase()
        .split(/[\s,;]+/)
        .filter((part) => part !== ""),
    ),
  ];
  const addresses = parts.filter((part) => /^[^@]+@[^@]+$/.test(part));
  const contactIds = parts.filter((part) => hubspotId.safeParse(part).success);
  const isList = parts.length > 1 && addresses.length + contactIds.length === parts.length;
  return isList ? { addresses, contactIds } : undefined;
}

/** The search as the id of an execution; undefined if it cannot be one. */
export function searchedId(search: string): string | undefined {
  return hubspotId.safeParse(search).data;
}

/** SQL: if a few were chosen, they are read by their ids, however old they are; empty if none were. */
export function chosenCondition({ ids }: ExecutionFilter): string {
  return ids === undefined ? "" : `AND id IN (${ids.map(BigInt).join(", ")})`;
}

/**
 * The filter as an SQL condition on the columns of `executions`. Values go into `values`, never into the text.
 *
 * @param values parameters so far; the condition's are appended.
 */
export function filterCondition(filter: ExecutionFilter, values: unknown[]): string {
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const equal = (column: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${column} = ${parameter(value)}`];
  const { outcome, search, since, until, decidedSince, decidedUntil, enrolledSince } = filter;
  const conditions = [
    ...(outcome === undefined ? [] : [OUTCOME_CONDITIONS[outcome]]),
    ...equal("error_code", filter.code),
    ...(filter.kind === "OTHER" ? ["kind <> 'ENROLL'"] : equal("kind", filter.kind)),
    ...equal("sequence_id", filter.sequenceId),
    ...(filter.senderUserId === NO_SENDER
      ? ["sender_user_id IS NULL"]
      : equal("sender_user_id", filter.senderUserId)),
    ...(filter.skippedUserId === undefined
      ? []
      : [
          `sender_choice -> 'passedOver' @> ${parameter(JSON.stringify([{ userId: filter.skippedUserId }]))}::jsonb`,
        ]),
    ...equal("workflow_id", filter.workflowId),
    ...equal("contact_id", filter.contactId),
    ...(filter.ids === undefined ? [] : [`id = ANY(${parameter(filter.ids)}::bigint[])`]),
    ...(since === undefined ? [] : [`accepted_at >= ${parameter(since)}`]),
    ...(until === undefined ? [] : [`accepted_at < ${parameter(until)}`]),
    ...(decidedSince === undefined ? [] : [`decided_at >= ${parameter(decidedSince)}`]),
    ...(decidedUntil === undefined ? [] : [`decided_at < ${parameter(decidedUntil)}`]),
    ...(enrolledSince === undefined ? [] : [`enrolled_at >= ${parameter(enrolledSince)}`]),
    ...(filter.retries === undefined ? [] : [RETRIES_CONDITIONS[filter.retries]]),
  ];
  if (search !== undefined) conditions.push(searchCondition(search, parameter));
  return conditions.length === 0 ? "true" : conditions.join(" AND ");
}

function searchCondition(search: string, parameter: (value: unknown) => string): string {
  const list = searchedList(search);
  if (list !== undefined)
    return `(lower(contact_email) = ANY(${parameter(list.addresses)}::text[]) OR contact_id = ANY(${parameter(list.contactIds)}::text[]))`;
  const exact = parameter(search);
  const part = parameter(partPattern(search));
  const id = searchedId(search);
  const ways = [
    `contact_id = ${exact}`,
    `callback_id = ${exact}`,
    `lower(contact_email) LIKE ${part}`,
    `lower(${contactName()}) LIKE ${part}`,
    ...(id === undefined ? [] : [`id = ${parameter(id)}::bigint`]),
  ];
  return `(${ways.join(" OR ")})`;
}
