import { z } from "zod";
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

/** Limits the year to what the database and every calendar here can handle, even one day later. */
const moment = z.iso.datetime().refine((text) => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1970 && year <= 9998;
});

const hubspotId = z.string().regex(/^\d{1,18}$/);

/** Which executions of a portal. A missing field does not filter. Stored with a bulk job in this form. */
export const executionFilterSchema = z.strictObject({
  outcome: z.enum(OUTCOMES).optional(),
  code: z.enum(ERROR_CODES).optional(),
  kind: z.enum(EXECUTION_KINDS).optional(),
  sequenceId: hubspotId.optional(),
  senderUserId: hubspotId.optional(),
  workflowId: hubspotId.optional(),
  contactId: hubspotId.optional(),
  /** `without` leaves out what an admin retried; what remains are the workflows' own calls. */
  retries: z.enum(["without"]).optional(),
  /** An id (contact, callback, execution), the beginning of an address, or, after an @, its end. */
  search: z
    .string()
    .trim()
    .min(1)
    .max(320)
    .refine((text) => !text.includes("\0"))
    .optional(),
  /** Accepted at or after, and before; ISO 8601. */
  since: moment.optional(),
  until: moment.optional(),
  /** Decided at or after; enrolled at or after. */
  decidedSince: moment.optional(),
  enrolledSince: moment.optional(),
});

export type ExecutionFilter = z.output<typeof executionFilterSchema>;

/** `LIKE` pattern of the addresses that a search means. */
export function addressPattern(search: string): string {
  const literal = search.toLowerCase().replace(/[\\%_]/g, "\\$&");
  return search.startsWith("@") ? `%${literal}` : `${literal}%`;
}

/** The search as the id of an execution; undefined if it cannot be one. */
export function searchedId(search: string): string | undefined {
  return hubspotId.safeParse(search).data;
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
  const { outcome, search, since, until, decidedSince, enrolledSince } = filter;
  const conditions = [
    ...(outcome === undefined ? [] : [OUTCOME_CONDITIONS[outcome]]),
    ...equal("error_code", filter.code),
    ...equal("kind", filter.kind),
    ...equal("sequence_id", filter.sequenceId),
    ...equal("sender_user_id", filter.senderUserId),
    ...equal("workflow_id", filter.workflowId),
    ...equal("contact_id", filter.contactId),
    ...(since === undefined ? [] : [`accepted_at >= ${parameter(since)}`]),
    ...(until === undefined ? [] : [`accepted_at < ${parameter(until)}`]),
    ...(decidedSince === undefined ? [] : [`decided_at >= ${parameter(decidedSince)}`]),
    ...(enrolledSince === undefined ? [] : [`enrolled_at >= ${parameter(enrolledSince)}`]),
    ...(filter.retries === undefined ? [] : ["retry_of IS NULL"]),
  ];
  if (search !== undefined) conditions.push(searchCondition(search, parameter));
  return conditions.length === 0 ? "true" : conditions.join(" AND ");
}

function searchCondition(search: string, parameter: (value: unknown) => string): string {
  const exact = parameter(search);
  const id = searchedId(search);
  const ways = [
    `contact_id = ${exact}`,
    `callback_id = ${exact}`,
    `lower(contact_email) LIKE ${parameter(addressPattern(search))}`,
    ...(id === undefined ? [] : [`id = ${parameter(id)}::bigint`]),
  ];
  return `(${ways.join(" OR ")})`;
}
