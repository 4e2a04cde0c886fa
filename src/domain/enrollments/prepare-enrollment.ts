import type { ClientBase } from "pg";
import type { IfAlreadyEnrolled, SenderMode } from "#domain/contract/actions/enroll-contract.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { EnrollRequest } from "#domain/contract/execution.js";
import { findSequence } from "#domain/directory/find-sequence.js";
import { peopleOf } from "#domain/directory/people.js";
import { whyUnusable } from "#domain/unenroll/problem-sentences.js";
import { readSetup } from "#domain/unenroll/setup.js";
import type { EnrollmentContact, AskedEnrollment } from "#domain/executions/accept/accept-enrollments.js";

/** An enrollment as somebody outside asks for it: its form is checked, its names are not. */
export interface EnrollmentWish {
  readonly contact: EnrollmentContact;
  readonly sequence: { readonly id: string } | { readonly name: string };
  readonly sender?: SenderWish | undefined;
  readonly presetId?: string | undefined;
  readonly ifAlreadyEnrolled?: IfAlreadyEnrolled | undefined;
  readonly cooldownDays?: number | undefined;
  /** ISO 8601 with its offset. */
  readonly notBefore?: string | undefined;
  readonly reference?: string | undefined;
}

export interface SenderWish {
  readonly mode: SenderMode;
  readonly userId?: string | undefined;
  readonly email?: string | undefined;
  readonly rotationId?: string | undefined;
  readonly alias?: string | undefined;
}

/** An enrollment that can be accepted, or what can be seen wrong with it at once. */
export type PreparedEnrollment =
  | { readonly kind: "ready"; readonly enrollment: AskedEnrollment }
  | {
      readonly kind: "refused";
      readonly code: RefusalCode;
      readonly pointer: string;
      readonly detail: string;
    };

/** `NOT_SUPPORTED`: the account has not set up what is asked for. */
type RefusalCode = ErrorCode | "NOT_SUPPORTED";
type Reader = Pick<ClientBase, "query">;
type Refused = Extract<PreparedEnrollment, { kind: "refused" }>;

const refused = (code: RefusalCode, pointer: string, detail: string): Refused => ({
  ...{ kind: "refused", code, pointer, detail },
});

/** Finds what the wish names in our copy of the account's directory and in its settings. Asks HubSpot nothing. */
export async function prepareEnrollment(
  reader: Reader,
  portalId: bigint,
  wish: EnrollmentWish,
): Promise<PreparedEnrollment> {
  const sequence = await findSequence(reader, portalId, wish.sequence);
  if (sequence.kind === "unknown")
    return refused("SEQUENCE_NOT_FOUND", "/sequence", "The account has no such sequence.");
  if (sequence.kind === "ambiguous")
    return refused(
      "INVALID_INPUT",
      "/sequence/name",
      `Several sequences have this name. Give the id of one: ${sequence.ids.join(", ")}.`,
    );
  const sender = await senderRequest(reader, portalId, wish.sender ?? { mode: "portal_default" });
  if ("kind" in sender) return sender;
  const { presetId, ifAlreadyEnrolled, cooldownDays, notBefore, reference } = wish;
  if (presetId !== undefined && !(await exists(reader, PRESET, [portalId, presetId])))
    return refused("INVALID_INPUT", "/presetId", "The account has no such preset.");
  if (ifAlreadyEnrolled === "replace") {
    const reason = whyUnusable(await readSetup({ pool: reader }, portalId));
    if (reason !== undefined) return refused("NOT_SUPPORTED", "/ifAlreadyEnrolled", reason);
  }
  const request: EnrollRequest = {
    ...sender,
    ...(presetId !== undefined && { presetId }),
    ...(ifAlreadyEnrolled !== undefined && { ifAlreadyEnrolled }),
    ...(cooldownDays !== undefined && { cooldownDays }),
    ...(notBefore !== undefined && { notBefore: new Date(notBefore).toISOString() }),
  };
  const date = notBefore === undefined ? undefined : new Date(notBefore);
  const { contact } = wish;
  return {
    kind: "ready",
    enrollment: { contact, sequenceId: sequence.id, request, notBefore: date, reference },
  };
}

type SenderRequest = Pick<EnrollRequest, "senderMode" | "senderUserId" | "rotationId" | "senderAlias">;

async function senderRequest(
  reader: Reader,
  portalId: bigint,
  { mode, userId, email, rotationId, alias }: SenderWish,
): Promise<SenderRequest | Refused> {
  const own = { senderMode: mode, ...(alias !== undefined && { senderAlias: alias }) };
  if (mode === "specific_user") {
    if (userId !== undefined) return { ...own, senderUserId: userId };
    const found = await userOf(reader, portalId, email ?? "");
    if (found === undefined) return refused("INVALID_INPUT", "/sender/email", "No user has this address.");
    return { ...own, senderUserId: found };
  }
  if (mode !== "rotation" || rotationId === undefined) return own;
  if (!(await exists(reader, ROTATION, [portalId, rotationId])))
    return refused("INVALID_INPUT", "/sender/rotationId", "The account has no such rotation.");
  return { ...own, rotationId };
}

const PRESET = "SELECT FROM presets WHERE portal_id = $1 AND preset_id = $2::bigint";
const ROTATION = "SELECT FROM rotations WHERE portal_id = $1 AND rotation_id = $2::bigint";

async function exists(reader: Reader, text: string, values: readonly unknown[]): Promise<boolean> {
  return (await reader.query(text, [...values])).rowCount !== 0;
}

/** The active user with this address; of several the first. */
async function userOf(reader: Reader, portalId: bigint, email: string): Promise<string | undefined> {
  const { rows } = await reader.query<{ user_id: string }>(
    `SELECT user_id FROM (${peopleOf()}) AS person WHERE is_active AND lower(email) = lower($2) ORDER BY user_id LIMIT 1`,
    [portalId, email],
  );
  return rows[0]?.user_id;
}
