import type { Pool } from "pg";
import { LONGEST_ADDRESS, type SenderMode } from "#domain/contract/actions/enroll-contract.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { EnrollRequest } from "#domain/contract/execution.js";
import { isPointInTime, pointInTime } from "#domain/contract/point-in-time.js";
import { CLOSE_PLACE, whyNotChosen } from "./close-choices.js";
import type { EnrollmentDefaults } from "./enrollment-defaults.js";
import type { ImportField } from "./file/guess-mapping.js";
import type { Import } from "./import.js";
import type { PendingRow } from "./pending-rows.js";

/** A row as an enrollment that can be asked for. */
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

/** What the account knows of names that rows use. */
interface Names {
  readonly timeZone: string | null;
  /** Ids by name and by id. */
  readonly sequences: ReadonlyMap<string, readonly string[]>;
  readonly users: ReadonlyMap<string, string>;
}

/** Makes requests of rows: each row's own words before the import's defaults. In their order. */
export async function requestsOf(
  pool: Pool,
  portalId: bigint,
  { source, rows }: { source: Import; rows: readonly PendingRow[] },
): Promise<(RowRequest | RowRefusal)[]> {
  const read = rows.map((row) => wordsOf(row, source));
  const names = await readNames(pool, portalId, read);
  return rows.map((row, index) => {
    const reason = source.source === "CLOSE" ? whyNotChosen(row.cells, source.choices) : undefined;
    if (reason !== undefined) return { kind: "refusal", result: "SKIPPED", code: null, reason };
    return toRequest(row, { words: read[index] ?? {}, defaults: source.defaults, names });
  });
}

type Words = Partial<Record<ImportField | "sender" | "senderUserId", string>>;

function wordsOf({ cells }: PendingRow, { source, choices, columns, mapping, defaults }: Import): Words {
  const words: Words = {};
  for (const [field, column] of Object.entries(mapping) as [ImportField, string][]) {
    const cell = cells[columns.indexOf(column)]?.trim() ?? "";
    if (cell !== "") words[field] = cell;
  }
  if (source === "CLOSE") {
    const user = choices.senders?.[cells[CLOSE_PLACE.sender] ?? ""];
    const sequence = choices.sequences?.[cells[CLOSE_PLACE.sequenceId] ?? ""];
    if (sequence !== undefined) words.sequenceId = sequence;
    if (user !== undefined) return { ...words, senderUserId: user };
  }
  if (words.sequenceId === undefined && words.sequenceName === undefined) {
    const { sequence } = defaults;
    if (sequence !== undefined && "id" in sequence) words.sequenceId = sequence.id;
    else if (sequence !== undefined) words.sequenceName = sequence.name;
  }
  const sender = words.senderEmail ?? defaults.sender?.email;
  if (sender !== undefined) words.sender = sender.toLowerCase();
  return words;
}

async function readNames(pool: Pool, portalId: bigint, words: readonly Words[]): Promise<Names> {
  const wanted = [...new Set(words.flatMap((row) => row.sequenceId ?? row.sequenceName ?? []))];
  const senders = [...new Set(words.flatMap(({ sender }) => sender ?? []))];
  const { rows: sequences } = await pool.query<{ sequence_id: string; name: string }>(
    `SELECT sequence_id, name FROM sequences WHERE portal_id = $1 AND is_listed AND (sequence_id = ANY ($2) OR name = ANY ($2))`,
    [portalId, wanted],
  );
  const { rows: users } = await pool.query<{ email: string; user_id: string }>(
    `SELECT lower(email) AS email, user_id FROM owners
      WHERE portal_id = $1 AND NOT is_archived AND user_id IS NOT NULL AND lower(email) = ANY ($2)
     UNION SELECT lower(email), user_id FROM users WHERE portal_id = $1 AND is_listed AND lower(email) = ANY ($2)`,
    [portalId, senders],
  );
  const { rows: portals } = await pool.query<{ time_zone: string | null }>(
    "SELECT time_zone FROM portals WHERE portal_id = $1",
    [portalId],
  );
  const ids = new Map<string, string[]>();
  for (const { sequence_id: id, name } of sequences)
    for (const key of new Set([`id:${id}`, `name:${name}`])) ids.set(key, [...(ids.get(key) ?? []), id]);
  return {
    timeZone: portals[0]?.time_zone ?? null,
    sequences: ids,
    users: new Map(users.map(({ email, user_id }) => [email, user_id])),
  };
}

function toRequest(
  row: PendingRow,
  { words, defaults, names }: { words: Words; defaults: EnrollmentDefaults; names: Names },
): RowRequest | RowRefusal {
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
  const sequenceId = sequenceOf(words, names);
  if (typeof sequenceId !== "string") return sequenceId;
  const sender = senderOf(words, { defaults, names });
  if ("kind" in sender) return sender;
  const date = words.notBefore ?? defaults.notBefore;
  if (date !== undefined && !isPointInTime(date))
    return invalid(`“${date}” is no date. Write it as 2027-01-31.`);
  const notBefore = date === undefined ? null : pointInTime(date, names.timeZone);
  const reference = words.reference ?? defaults.reference ?? null;
  if (reference !== null && reference.length > LONGEST_REFERENCE)
    return invalid(`The reference is longer than ${LONGEST_REFERENCE} characters.`);
  const { presetId, ifAlreadyEnrolled, cooldownDays } = defaults;
  const request: EnrollRequest = {
    ...sender,
    ...(presetId === undefined ? {} : { presetId }),
    ...(ifAlreadyEnrolled === undefined ? {} : { ifAlreadyEnrolled }),
    ...(cooldownDays === undefined ? {} : { cooldownDays }),
    ...(notBefore === null ? {} : { notBefore: notBefore.toISOString() }),
  };
  return { kind: "request", contact, sequenceId, request, notBefore, reference };
}

function sequenceOf(words: Words, { sequences }: Names): string | RowRefusal {
  const { sequenceId: id, sequenceName: name } = words;
  if (id === undefined && name === undefined) return invalid("The row names no sequence.");
  const found = sequences.get(id === undefined ? `name:${name ?? ""}` : `id:${id}`) ?? [];
  const [only, another] = found;
  if (only === undefined) return invalid(`There is no sequence “${id ?? name ?? ""}”.`, "SEQUENCE_NOT_FOUND");
  if (another !== undefined)
    return invalid(`Several sequences are called “${name ?? ""}”: name it by its id.`, "SEQUENCE_NOT_FOUND");
  return only;
}

type SenderPart = Pick<EnrollRequest, "senderMode" | "senderUserId" | "rotationId" | "senderAlias">;

function senderOf(
  words: Words,
  { defaults, names }: { defaults: EnrollmentDefaults; names: Names },
): SenderPart | RowRefusal {
  const { mode, userId, rotationId, alias } = defaults.sender ?? {};
  const { sender } = words;
  const senderAlias = alias === undefined ? {} : { senderAlias: alias };
  if (words.senderUserId !== undefined)
    return { senderMode: "specific_user", senderUserId: words.senderUserId, ...senderAlias };
  if (sender !== undefined) {
    const found = names.users.get(sender);
    if (found === undefined) return invalid(`No user has the address “${sender}”.`, "SENDER_NOT_ALLOWED");
    return { senderMode: "specific_user", senderUserId: found, ...senderAlias };
  }
  const implied: SenderMode =
    userId !== undefined ? "specific_user" : rotationId !== undefined ? "rotation" : "portal_default";
  return {
    senderMode: mode ?? implied,
    ...(userId === undefined ? {} : { senderUserId: userId }),
    ...(rotationId === undefined ? {} : { rotationId }),
    ...senderAlias,
  };
}
