import type { Database } from "#platform/db/client.js";
import type { Prisma } from "#platform/db/generated/client.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { recordChanges } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { noted, type NamedSender } from "./sender-store.js";
import { keepUndo } from "./undo-steps.js";

/** A person in a list, and the version the list was shown at. */
export interface ListedSender extends NamedSender {
  readonly version: number;
}

/** A sender that another admin changed since the list was shown. */
export interface MarkConflict {
  readonly sender: NamedSender;
  /** What the other admin decided. */
  readonly isAllowed: boolean | null;
}

/**
 * Marks people as allowed (or not, or null: as the portal's policy says), whatever else was decided about them. People
 * who already have this mark are left alone.
 *
 * @returns those saved by another admin since the list was shown; if there are any, nobody is marked.
 */
export async function markSenders(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  change: { senders: readonly ListedSender[]; isAllowed: boolean | null; undoKey?: string },
): Promise<MarkConflict[]> {
  requireRight(actor, "markSenders");
  const { portalId } = actor;
  const { isAllowed } = change;
  const senders = [...change.senders].sort((one, other) => (one.userId < other.userId ? -1 : 1));
  return inPrismaTransaction(prisma, async (transaction) => {
    const stored = await ensureMarks(transaction, portalId, senders);
    const differing = senders
      .map((sender) => ({ sender, ...(stored.get(sender.userId) ?? { isAllowed: null, version: 0 }) }))
      .filter((one) => one.isAllowed !== isAllowed);
    const conflicts = differing.filter(({ sender, version }) => sender.version !== version);
    if (conflicts.length > 0) return conflicts.map(({ sender, isAllowed }) => ({ sender, isAllowed }));
    const userIds = differing.map(({ sender }) => sender.userId);
    await transaction.senderSettings.updateMany({
      where: { portalId, userId: { in: userIds } },
      data: { isAllowed, version: { increment: 1 } },
    });
    const changes = differing.map(({ sender, isAllowed: before }) => ({
      ...noted(sender),
      action: "CHANGED",
      before: { isAllowed: before },
      after: { isAllowed },
    }));
    await recordChanges(transaction, actor, changes);
    if (differing.length > 0)
      await keepUndo(transaction, actor, {
        undoKey: change.undoKey,
        step: { kind: "marks", senders: differing.map(toStep) },
      });
    return [];
  });
}

const toStep = ({ sender, isAllowed, version }: { sender: ListedSender } & StoredMark) => ({
  userId: sender.userId,
  name: sender.name,
  isAllowed,
  version: version + 1,
});

interface StoredMark {
  readonly isAllowed: boolean | null;
  readonly version: number;
}

/**
 * How people are marked now, by user id. Missing rows are created; all are locked until the transaction ends, always in
 * order of ids, so that two concurrent changes cannot wait for each other.
 *
 * @param senders in that order.
 */
async function ensureMarks(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  senders: readonly ListedSender[],
): Promise<Map<UserId, StoredMark>> {
  const userIds = senders.map(({ userId }) => userId);
  await transaction.senderSettings.createMany({
    data: userIds.map((userId) => ({ portalId, userId, windowDays: [] })),
    skipDuplicates: true,
  });
  const rows = await transaction.$queryRaw<
    { user_id: UserId; is_allowed: boolean | null; version: number }[]
  >`
    SELECT user_id, is_allowed, version FROM senders
     WHERE portal_id = ${portalId} AND user_id = ANY (${userIds}::bigint[]) ORDER BY user_id FOR UPDATE`;
  return new Map(rows.map((row) => [row.user_id, { isAllowed: row.is_allowed, version: row.version }]));
}
