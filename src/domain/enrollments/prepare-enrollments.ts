import type { ClientBase } from "pg";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { EnrollRequest } from "#domain/contract/execution.js";
import type { AskedEnrollment } from "#domain/executions/accept/accept-enrollments.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { EnrollmentWish, SenderWish } from "./enrollment-wish.js";
import {
  nameIn,
  namesSequenceIdAlone,
  readWishedNames,
  type AccountWish,
  type WishedNames,
} from "./wished-names.js";

/** An enrollment that can be accepted, or what can be seen wrong with it at once. */
export type PreparedEnrollment =
  | { readonly kind: "ready"; readonly enrollment: AskedEnrollment }
  | {
      readonly kind: "refused";
      /** The code of the first problem. */
      readonly code: RowRefusalCode;
      readonly detail: string;
      readonly problems: readonly WishProblem[];
    };

/** What is wrong in one place of a wish. */
interface WishProblem {
  /** RFC 6901: `/sequence/name`. */
  readonly pointer: string;
  readonly detail: string;
}

/** `NOT_SUPPORTED`: the account has not set up what is asked for. */
export type RowRefusalCode = ErrorCode | "NOT_SUPPORTED";

type Refused = Extract<PreparedEnrollment, { kind: "refused" }>;

/** Ids named to someone whose sequence's name is not unique. */
const MOST_IDS_NAMED = 10;

const refused = (code: RowRefusalCode, pointer: string, detail: string): Refused => ({
  kind: "refused",
  code,
  detail,
  problems: [{ pointer, detail }],
});

export const UNKNOWN_SEQUENCE = refused(
  "SEQUENCE_NOT_FOUND",
  "/sequence",
  "The account has no such sequence.",
);

/** Finds what the wishes name in our copy of the accounts' directories and in their settings; in their order. */
export async function prepareEnrollments(
  reader: Pick<ClientBase, "query">,
  wishes: readonly AccountWish[],
): Promise<PreparedEnrollment[]> {
  const names = await readWishedNames(reader, wishes);
  return wishes.map((wish) => prepare(wish, names));
}

/**
 * The same without a statement for wishes that name nothing but a sequence by its id: whether the account lists it is
 * left to the statement that stores the enrollment (acceptListed).
 */
export async function prepareCalls(
  reader: Pick<ClientBase, "query">,
  wishes: readonly AccountWish[],
): Promise<PreparedEnrollment[]> {
  const names = await readWishedNames(
    reader,
    wishes.filter(({ wish }) => !namesSequenceIdAlone(wish)),
  );
  return wishes.map((wish) => prepare(wish, names, { isIdTaken: namesSequenceIdAlone(wish.wish) }));
}

function prepare(
  { portalId, wish }: AccountWish,
  names: WishedNames,
  { isIdTaken = false } = {},
): PreparedEnrollment {
  const sequenceId =
    isIdTaken && "id" in wish.sequence ? wish.sequence.id : sequenceOf(portalId, wish, names);
  const sender = senderOf(portalId, wish.sender ?? { mode: "portal_default" }, names);
  const { contact, presetId, ifAlreadyEnrolled, cooldownDays, notBefore, reference } = wish;
  const found = [
    sequenceId,
    sender,
    presetProblem(portalId, wish, names),
    replacingProblem(portalId, wish, names),
  ];
  if (typeof sequenceId !== "string" || "kind" in sender || found.some(isRefused))
    return allOf(found.filter(isRefused));
  const date = notBefore === undefined ? undefined : new Date(notBefore);
  const request: EnrollRequest = {
    ...sender,
    ...(presetId !== undefined && { presetId }),
    ...(ifAlreadyEnrolled !== undefined && { ifAlreadyEnrolled }),
    ...(cooldownDays !== undefined && { cooldownDays }),
    ...(date !== undefined && { notBefore: date.toISOString() }),
  };
  return { kind: "ready", enrollment: { contact, sequenceId, request, notBefore: date, reference } };
}

const isRefused = (found: unknown): found is Refused =>
  typeof found === "object" && found !== null && "kind" in found;

/** Every problem at once, under the first one's code. */
function allOf(refusals: readonly Refused[]): Refused {
  const [first = UNKNOWN_SEQUENCE] = refusals;
  return { ...first, problems: refusals.flatMap(({ problems }) => problems) };
}

function presetProblem(
  portalId: PortalId,
  { presetId }: EnrollmentWish,
  { presets }: WishedNames,
): Refused | undefined {
  if (presetId === undefined || presets.has(nameIn(portalId, BigInt(presetId).toString()))) return undefined;
  return refused("INVALID_INPUT", "/presetId", "The account has no such preset.");
}

function replacingProblem(
  portalId: PortalId,
  { ifAlreadyEnrolled }: EnrollmentWish,
  { replacingProblems }: WishedNames,
): Refused | undefined {
  const problem = ifAlreadyEnrolled === "replace" ? replacingProblems.get(portalId) : undefined;
  return problem === undefined ? undefined : refused("NOT_SUPPORTED", "/ifAlreadyEnrolled", problem);
}

function sequenceOf(
  portalId: PortalId,
  { sequence }: EnrollmentWish,
  { sequenceIds, sequenceNames }: WishedNames,
): string | Refused {
  if ("id" in sequence)
    return sequenceIds.has(nameIn(portalId, sequence.id)) ? sequence.id : UNKNOWN_SEQUENCE;
  const [first, ...others] = sequenceNames.get(nameIn(portalId, sequence.name)) ?? [];
  if (first === undefined) return UNKNOWN_SEQUENCE;
  if (others.length === 0) return first;
  const ids = [first, ...others].slice(0, MOST_IDS_NAMED).join(", ");
  const detail = `Several sequences have this name. Give the id of one: ${ids}.`;
  return refused("INVALID_INPUT", "/sequence/name", detail);
}

type SenderRequest = Pick<EnrollRequest, "senderMode" | "senderUserId" | "rotationId" | "senderAlias">;

function senderOf(
  portalId: PortalId,
  { mode, userId, email = "", rotationId, alias }: SenderWish,
  { users, rotations }: WishedNames,
): SenderRequest | Refused {
  const own = { senderMode: mode, ...(alias !== undefined && { senderAlias: alias }) };
  if (mode === "specific_user") {
    const senderUserId = userId ?? users.get(nameIn(portalId, email.toLowerCase()));
    if (senderUserId === undefined)
      return refused("INVALID_INPUT", "/sender/email", "No user has this address.");
    return { ...own, senderUserId };
  }
  if (mode !== "rotation" || rotationId === undefined) return own;
  if (!rotations.has(nameIn(portalId, BigInt(rotationId).toString())))
    return refused("INVALID_INPUT", "/sender/rotationId", "The account has no such rotation.");
  return { ...own, rotationId };
}
