import type { Database } from "#platform/db/client.js";
import type { Prisma, SenderSettings } from "#platform/db/generated/client.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { keepUndo } from "./undo-steps.js";
import { recordChange, type Snapshot } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { awayDatesSchema, type AwayDates } from "#domain/contract/sender-policy.js";

/** What an admin decides about one sender; null or an empty list means the default. */
export interface SenderChoices {
  readonly isAllowed: boolean | null;
  readonly sendAsEmail: string | null;
  readonly senderAlias: string | null;
  /** Enrollments in any 24 hours. */
  readonly dailyCap: number | null;
  /** 1 Monday to 7 Sunday; empty: every day. */
  readonly windowDays: readonly number[];
  /** Minutes after midnight, end exclusive; both or neither. */
  readonly windowStartMinute: number | null;
  readonly windowEndMinute: number | null;
  readonly timeZone: string | null;
  readonly away: readonly AwayDates[];
}

/** What the app learned about a sender from HubSpot's answers. */
export interface SenderMarks {
  readonly refusedCode: string | null;
  readonly refusedMessage: string | null;
  readonly refusedAt: Date | null;
  readonly limitedUntil: Date | null;
}

export interface StoredSender {
  readonly choices: SenderChoices;
  readonly marks: SenderMarks;
  /** 0 if no admin saved it yet. */
  readonly version: number;
}

const NOTHING_CHOSEN: StoredSender = {
  choices: {
    isAllowed: null,
    sendAsEmail: null,
    senderAlias: null,
    dailyCap: null,
    windowDays: [],
    windowStartMinute: null,
    windowEndMinute: null,
    timeZone: null,
    away: [],
  },
  marks: { refusedCode: null, refusedMessage: null, refusedAt: null, limitedUntil: null },
  version: 0,
};

/** What is stored about a user; the defaults if nothing is. The user need not exist. */
export async function findSender(
  { prisma }: { readonly prisma: Pick<Prisma.TransactionClient, "senderSettings"> },
  portalId: PortalId,
  userId: UserId,
): Promise<StoredSender> {
  const row = await prisma.senderSettings.findUnique({ where: { portalId_userId: { portalId, userId } } });
  return row === null ? NOTHING_CHOSEN : fromRow(row);
}

/** A person, and the name the audit log uses. */
export interface NamedSender {
  readonly userId: UserId;
  readonly name: string;
}

export type SaveOutcome =
  | "saved"
  | "saved-and-cleared" // HubSpot's refusal of the sender was cleared with it
  | "changed-meanwhile"; // another admin saved since the form was shown: nothing is changed

/**
 * Saves what was decided about a sender. The admin has just reviewed the sender, so HubSpot is tried again: a refusal
 * is cleared, and the audit entry says so.
 *
 * @param change.version the version the form was filled in from.
 */
export async function saveSender(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  change: { sender: NamedSender; choices: SenderChoices; version: number; undoKey?: string },
): Promise<SaveOutcome> {
  requireRight(actor, "saveSender");
  const { portalId } = actor;
  const { sender, choices, version, undoKey } = change;
  return inPrismaTransaction(prisma, async (transaction) => {
    const before = await ensureRow(transaction, portalId, sender.userId);
    const { count } = await transaction.senderSettings.updateMany({
      where: { portalId, userId: sender.userId, version },
      data: toData(choices),
    });
    if (count === 0) return "changed-meanwhile";
    const { userId, name } = sender;
    const step = { userId, name, before: senderSnapshot(before.choices), version: version + 1 };
    await keepUndo(transaction, actor, { undoKey, step: { kind: "sender", ...step } });
    const { refusedCode } = before.marks;
    const isCleared = refusedCode !== null;
    await recordChange(transaction, actor, {
      ...noted(sender),
      action: "CHANGED",
      before: { ...senderSnapshot(before.choices), ...(isCleared ? { refusedCode } : {}) },
      after: { ...senderSnapshot(choices), ...(isCleared ? { refusedCode: null } : {}) },
    });
    return isCleared ? "saved-and-cleared" : "saved";
  });
}

/** Clears HubSpot's refusals: the sender is tried again with the next contact. */
export async function clearRefusal(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  sender: NamedSender,
): Promise<void> {
  requireRight(actor, "clearRefusal");
  const { portalId } = actor;
  const { userId } = sender;
  await inPrismaTransaction(prisma, async (transaction) => {
    const row = await transaction.senderSettings.findUnique({
      where: { portalId_userId: { portalId, userId } },
    });
    if (row === null || (row.refusedCode === null && row.limitedUntil === null)) return;
    const cleared = { refusedCode: null, refusedMessage: null, refusedAt: null, limitedUntil: null };
    await transaction.senderSettings.update({
      where: { portalId_userId: { portalId, userId } },
      data: cleared,
    });
    await recordChange(transaction, actor, {
      ...noted(sender),
      action: "CLEARED",
      before: { refusedCode: row.refusedCode, limitedUntil: row.limitedUntil?.toISOString() ?? null },
      after: { refusedCode: null, limitedUntil: null },
    });
  });
}

/** The row as it was; created with the defaults if missing, and locked until the transaction ends. */
async function ensureRow(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  userId: UserId,
): Promise<StoredSender> {
  await transaction.senderSettings.createMany({
    data: [{ portalId, userId, windowDays: [] }],
    skipDuplicates: true,
  });
  await transaction.$queryRaw`SELECT 1 AS held FROM senders WHERE portal_id = ${portalId} AND user_id = ${userId} FOR UPDATE`;
  return fromRow(
    await transaction.senderSettings.findUniqueOrThrow({ where: { portalId_userId: { portalId, userId } } }),
  );
}

/** What the audit log calls a change of a sender. */
export function noted({ name }: NamedSender) {
  return { subject: "sender", subjectName: name };
}

function toData(choices: SenderChoices) {
  return {
    ...choices,
    windowDays: [...choices.windowDays],
    away: choices.away.map(({ from, to }) => ({ from, to })),
    refusedCode: null,
    refusedMessage: null,
    refusedAt: null,
    version: { increment: 1 },
  };
}

/** A choice in the form in which it is recorded and compared: in the order of the form. */
export function senderSnapshot(choices: SenderChoices) {
  return {
    isAllowed: choices.isAllowed,
    sendAsEmail: choices.sendAsEmail,
    senderAlias: choices.senderAlias,
    dailyCap: choices.dailyCap,
    windowDays: [...choices.windowDays],
    windowStartMinute: choices.windowStartMinute,
    windowEndMinute: choices.windowEndMinute,
    timeZone: choices.timeZone,
    away: choices.away.map(({ from, to }) => ({ from, to })),
  } satisfies Snapshot;
}

function fromRow(row: SenderSettings): StoredSender {
  const { isAllowed, sendAsEmail, senderAlias, dailyCap, windowDays, timeZone } = row;
  const { windowStartMinute, windowEndMinute, refusedCode, refusedMessage, refusedAt, limitedUntil } = row;
  return {
    choices: {
      isAllowed,
      sendAsEmail,
      senderAlias,
      dailyCap,
      windowDays,
      windowStartMinute,
      windowEndMinute,
      timeZone,
      away: awayDatesSchema.parse(row.away),
    },
    marks: { refusedCode, refusedMessage, refusedAt, limitedUntil },
    version: row.version,
  };
}
