import type { Pool } from "pg";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { EnrollRequest } from "#domain/contract/execution.js";
import { isPointInTime, pointInTime } from "#domain/contract/point-in-time.js";
import type { EnrollmentWish, SenderWish } from "#domain/enrollments/enrollment-wish.js";
import {
  prepareEnrollments,
  type PreparedEnrollment,
  type RowRefusalCode,
} from "#domain/enrollments/prepare-enrollments.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { CLOSE_PLACE, whyNotChosen } from "./close-choices.js";
import type { ImportField } from "./file/guess-mapping.js";
import type { Import } from "./import.js";
import type { PendingRow } from "./pending-rows.js";

/** A row as an enrollment that can be requested. */
export interface RowRequest {
  readonly kind: "request";
  /** Its id, or its address in lower case. */
  readonly contact: string;
  readonly sequenceId: string;
  readonly request: EnrollRequest;
  readonly notBefore: Date | null;
  readonly reference: string | null;
}

/** A row that names none. */
export interface RowRefusal {
  readonly kind: "refusal";
  /** SKIPPED: it is not among the rows that were chosen. */
  readonly result: "INVALID" | "DUPLICATE" | "SKIPPED";
  readonly code: ErrorCode | null;
  readonly reason: string;
}

const ADDRESS = /^[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+$/;
const LONGEST_REFERENCE = 200;

const invalid = (reason: string, code: ErrorCode = "INVALID_INPUT"): RowRefusal => ({
  kind: "refusal",
  result: "INVALID",
  code,
  reason,
});

/** What a row asks for, and the words by which the answer for its contact is found. */
interface Asked {
  readonly kind: "asked";
  readonly contact: string;
  readonly wish: EnrollmentWish;
}

/**
 * Turns rows into requests, in their order: a row's own words come before the import's defaults. What they name is
 * found as for a call of the API, so that a row is refused for the same reasons.
 */
export async function requestsOf(
  pool: Pool,
  portalId: PortalId,
  { source, rows }: { source: Import; rows: readonly PendingRow[] },
): Promise<(RowRequest | RowRefusal)[]> {
  const timeZone = await readTimeZone(pool, portalId);
  const read = rows.map((row) => readRow(row, source, timeZone));
  const asked = read.filter((one) => one.kind === "asked");
  const prepared = await prepareEnrollments(
    pool,
    asked.map(({ wish }) => ({ portalId, wish })),
  );
  const answers = new Map(asked.map((one, index) => [one, prepared[index]]));
  return read.map((one) => (one.kind === "asked" ? toRequest(one, answers.get(one)) : one));
}

async function readTimeZone(pool: Pool, portalId: PortalId): Promise<string | null> {
  const { rows } = await pool.query<{ time_zone: string | null }>(
    "SELECT time_zone FROM portals WHERE portal_id = $1",
    [portalId],
  );
  return rows[0]?.time_zone ?? null;
}

function toRequest({ contact }: Asked, prepared: PreparedEnrollment | undefined): RowRequest | RowRefusal {
  if (prepared?.kind !== "ready") return invalid(prepared?.detail ?? "", codeOf(prepared?.code));
  const { sequenceId, request, notBefore = null, reference = null } = prepared.enrollment;
  return { kind: "request", contact, sequenceId, request, notBefore, reference };
}

/** A row's reason is one of those that enrollments have. */
const codeOf = (code: RowRefusalCode | undefined): ErrorCode =>
  code === undefined || code === "NOT_SUPPORTED" ? "INVALID_INPUT" : code;

function readRow(row: PendingRow, source: Import, timeZone: string | null): Asked | RowRefusal {
  const notChosen = source.source === "CLOSE" ? whyNotChosen(row.cells, source.choices) : undefined;
  if (notChosen !== undefined) return { kind: "refusal", result: "SKIPPED", code: null, reason: notChosen };
  const contact = row.contactKey;
  if (contact === null) return invalid("The row names no contact.");
  if (row.isDuplicate)
    return {
      kind: "refusal",
      result: "DUPLICATE",
      code: null,
      reason: "An earlier row names the same contact.",
    };
  const isId = /^\d{1,19}$/.test(contact);
  if (!isId && (!ADDRESS.test(contact) || contact.length > LONGEST_ADDRESS))
    return invalid(contact.includes("@") ? "This is no email address." : "This is no contact's id.");
  const wish = wishOf(row, source, timeZone);
  if ("kind" in wish) return wish;
  return { kind: "asked", contact, wish: { ...wish, contact: isId ? { id: contact } : { email: contact } } };
}

type Words = Partial<Record<ImportField, string>>;

function wordsOf({ cells }: PendingRow, { columns, mapping }: Import): Words {
  const words: Words = {};
  for (const [field, column] of Object.entries(mapping) as [ImportField, string][]) {
    const cell = cells[columns.indexOf(column)]?.trim() ?? "";
    if (cell !== "") words[field] = cell;
  }
  return words;
}

function wishOf(
  row: PendingRow,
  source: Import,
  timeZone: string | null,
): Omit<EnrollmentWish, "contact"> | RowRefusal {
  const { defaults } = source;
  const words = wordsOf(row, source);
  const sequence = sequenceOf(row, words, source);
  if (sequence === undefined) return invalid("The row names no sequence.");
  const date = words.notBefore ?? defaults.notBefore;
  if (date !== undefined && !isPointInTime(date))
    return invalid(`“${date}” is no date. Write it as 2027-01-31.`);
  const reference = words.reference ?? defaults.reference;
  if (reference !== undefined && reference.length > LONGEST_REFERENCE)
    return invalid(`The reference is longer than ${LONGEST_REFERENCE} characters.`);
  const notBefore = date === undefined ? undefined : pointInTime(date, timeZone).toISOString();
  return { ...defaults, sequence, sender: senderOf(row, words, source), notBefore, reference };
}

/** Close's sequence stands for the one chosen for it; a row's own word comes before the import's. */
function sequenceOf(
  { cells }: PendingRow,
  { sequenceId, sequenceName }: Words,
  { source, choices, defaults }: Import,
): EnrollmentWish["sequence"] | undefined {
  const chosen = source === "CLOSE" ? choices.sequences?.[cells[CLOSE_PLACE.sequenceId] ?? ""] : undefined;
  const id = chosen ?? sequenceId;
  if (id !== undefined) return { id };
  return sequenceName === undefined ? defaults.sequence : { name: sequenceName };
}

function senderOf(
  { cells }: PendingRow,
  { senderEmail: email }: Words,
  { source, choices, defaults: { sender } }: Import,
): SenderWish | undefined {
  const named = { mode: "specific_user", alias: sender?.alias } as const;
  const userId = source === "CLOSE" ? choices.senders?.[cells[CLOSE_PLACE.sender] ?? ""] : undefined;
  if (userId !== undefined) return { ...named, userId };
  return email === undefined ? sender : { ...named, email };
}
