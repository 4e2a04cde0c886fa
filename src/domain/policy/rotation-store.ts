import type { Database } from "#platform/db/client.js";
import type { Prisma, Rotation, RotationMember } from "#platform/db/generated/client.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { recordChange, type Snapshot } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { keepUndo } from "./undo-steps.js";
import { isNameTaken } from "./name-taken.js";

export interface Member {
  readonly userId: UserId;
  /** Share of the picks, 1 to 100. */
  readonly weight: number;
}

/** What an admin decides about a rotation. */
export interface RotationDraft {
  readonly name: string;
  /** A contact keeps its earlier sender while that one can send. */
  readonly keepsSender: boolean;
  readonly members: readonly Member[];
}

export interface StoredRotation {
  readonly rotationId: bigint;
  readonly name: string;
  readonly keepsSender: boolean;
  readonly members: readonly (Member & { readonly picks: bigint; readonly currentWeight: number })[];
  readonly version: number;
}

export const LONGEST_NAME = 100;
export const MAX_MEMBERS = 200;
export const MAX_WEIGHT = 100;

/** Nobody can keep track of more, and a page can show all of them. */
export const MAX_ROTATIONS = 500;

/** Undefined if the portal has none with this id. */
export async function findRotation(
  database: { prisma: Prisma.TransactionClient },
  portalId: PortalId,
  rotationId: bigint,
): Promise<StoredRotation | undefined> {
  const row = await database.prisma.rotation.findUnique({
    where: { portalId_rotationId: { portalId, rotationId } },
    include: { members: { orderBy: { userId: "asc" } } },
  });
  return row === null ? undefined : fromRow(row);
}

/** Two created at the same moment may exceed MAX_ROTATIONS by one, which does no harm. */
export async function createRotation(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  draft: RotationDraft,
): Promise<{ kind: "created"; rotationId: bigint } | { kind: "name-taken" | "too-many" }> {
  requireRight(actor, "createRotation");
  const { portalId } = actor;
  try {
    return await inPrismaTransaction(prisma, async (transaction) => {
      const { name, keepsSender } = draft;
      if ((await transaction.rotation.count({ where: { portalId } })) >= MAX_ROTATIONS)
        return { kind: "too-many" };
      const { rotationId } = await transaction.rotation.create({
        data: { portalId, name, keepsSender, version: 1 },
      });
      await insertMembers(transaction, { portalId, rotationId }, draft.members);
      await recordChange(transaction, actor, {
        subject: "rotation",
        subjectName: name,
        action: "CREATED",
        after: rotationSnapshot(draft),
      });
      return { kind: "created", rotationId };
    });
  } catch (error) {
    if (isNameTaken(error)) return { kind: "name-taken" };
    throw error;
  }
}

export type SaveRotationOutcome =
  | "saved"
  | "changed-meanwhile" // another admin saved since the form was shown, or deleted it: nothing is changed
  | "name-taken";

/** @param change.version the version the form was filled in from. */
export async function saveRotation(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  change: { rotationId: bigint; draft: RotationDraft; version: number; undoKey?: string },
): Promise<SaveRotationOutcome> {
  requireRight(actor, "saveRotation");
  try {
    return await inPrismaTransaction(prisma, (transaction) => replaceRotation(transaction, actor, change));
  } catch (error) {
    if (isNameTaken(error)) return "name-taken";
    throw error;
  }
}

async function replaceRotation(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  change: { rotationId: bigint; draft: RotationDraft; version: number; undoKey?: string },
): Promise<SaveRotationOutcome> {
  const { portalId } = actor;
  const { rotationId, draft, version } = change;
  const before = await findRotation({ prisma: transaction }, portalId, rotationId);
  const { count } = await transaction.rotation.updateMany({
    where: { portalId, rotationId, version },
    data: { name: draft.name, keepsSender: draft.keepsSender, version: { increment: 1 } },
  });
  if (count === 0 || before === undefined) return "changed-meanwhile";
  if (membersOf(before) !== membersOf(draft))
    await replaceMembers(transaction, { portalId, rotationId }, draft);
  await recordChange(transaction, actor, {
    subject: "rotation",
    subjectName: draft.name,
    action: "CHANGED",
    before: rotationSnapshot(before),
    after: rotationSnapshot(draft),
  });
  await keepUndo(transaction, actor, {
    undoKey: change.undoKey,
    step: { kind: "rotation", rotationId, before: withMembers(before), version: version + 1 },
  });
  return "saved";
}

const withMembers = (rotation: StoredRotation) => ({ ...rotation, members: [...rotation.members] });

export type DeleteRotationOutcome =
  | { kind: "deleted" } // even if it was gone before
  | { kind: "changed-meanwhile" } // another admin saved it since the page was shown: it is kept
  | { kind: "in-use"; presetNames: string[] };

/**
 * Refused while a preset uses it: contacts would be left without a sender.
 *
 * @param change.version the version the page with the button was shown at.
 */
export async function deleteRotation(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  { rotationId, version, undoKey }: { rotationId: bigint; version: number; undoKey?: string },
): Promise<DeleteRotationOutcome> {
  requireRight(actor, "deleteRotation");
  const { portalId } = actor;
  return inPrismaTransaction(prisma, async (transaction) => {
    // Waits for a preset that is being saved with this rotation: that transaction holds the row until it is committed.
    await transaction.$queryRaw`
      SELECT 1 AS held FROM rotations WHERE portal_id = ${portalId} AND rotation_id = ${rotationId} FOR UPDATE`;
    const before = await findRotation({ prisma: transaction }, portalId, rotationId);
    if (before === undefined) return { kind: "deleted" };
    if (before.version !== version) return { kind: "changed-meanwhile" };
    const presetNames = (await presetsNaming({ prisma: transaction }, portalId)).get(rotationId.toString());
    if (presetNames !== undefined) return { kind: "in-use", presetNames };
    await transaction.rotation.delete({ where: { portalId_rotationId: { portalId, rotationId } } });
    await recordChange(transaction, actor, {
      subject: "rotation",
      subjectName: before.name,
      action: "DELETED",
      before: rotationSnapshot(before),
    });
    const step = { kind: "rotation", rotationId, before: withMembers(before), version: null } as const;
    await keepUndo(transaction, actor, { undoKey, step });
    return { kind: "deleted" };
  });
}

/** Names of the presets that use a rotation, by its id. */
export async function presetsNaming(
  { prisma }: { prisma: Prisma.TransactionClient },
  portalId: PortalId,
): Promise<Map<string, string[]>> {
  const rows = await prisma.$queryRaw<{ rotation_id: string; names: string[] }[]>`
    SELECT rotation_id, array_agg(DISTINCT name ORDER BY name) AS names FROM (
      SELECT policy #>> '{sender,rotationId}' AS rotation_id, name FROM presets WHERE portal_id = ${portalId}
      UNION ALL
      SELECT policy #>> '{fallback,rotationId}', name FROM presets WHERE portal_id = ${portalId}
    ) AS named WHERE rotation_id IS NOT NULL GROUP BY rotation_id`;
  return new Map(rows.map(({ rotation_id, names }) => [rotation_id, names]));
}

/** All members' turns start over, since the old state fits the old weights; their counts of picks stay. */
// eslint-disable-next-line house/audited-verbs -- a part of `saveRotation` and `undoChange`
export async function replaceMembers(
  transaction: Prisma.TransactionClient,
  key: { portalId: PortalId; rotationId: bigint },
  { members }: Pick<RotationDraft, "members">,
): Promise<void> {
  const userIds = members.map(({ userId }) => userId);
  await transaction.rotationMember.deleteMany({ where: { ...key, userId: { notIn: userIds } } });
  await insertMembers(transaction, key, members);
  await transaction.$executeRaw`
    UPDATE rotation_members AS member SET weight = draft.weight, current_weight = 0
      FROM unnest(${userIds}::bigint[], ${members.map(({ weight }) => weight)}::int[]) AS draft (user_id, weight)
     WHERE member.portal_id = ${key.portalId} AND member.rotation_id = ${key.rotationId} AND member.user_id = draft.user_id`;
}

async function insertMembers(
  transaction: Prisma.TransactionClient,
  key: { portalId: PortalId; rotationId: bigint },
  members: readonly Member[],
): Promise<void> {
  await transaction.rotationMember.createMany({
    data: members.map(({ userId, weight }) => ({ ...key, userId, weight })),
    skipDuplicates: true,
  });
}

const membersOf = (draft: RotationDraft): string => JSON.stringify(rotationSnapshot(draft)["members"]);

/** A rotation in the form in which it is recorded and compared. */
export function rotationSnapshot({ name, keepsSender, members }: RotationDraft): Snapshot {
  const sorted = [...members].sort((left, right) => (left.userId < right.userId ? -1 : 1));
  return {
    name,
    keepsSender,
    members: sorted.map(({ userId, weight }) => ({ userId: userId.toString(), weight })),
  };
}

function fromRow(row: Rotation & { members: RotationMember[] }): StoredRotation {
  const { rotationId, name, keepsSender, version } = row;
  const members = row.members.map(({ userId, weight, picks, currentWeight }) => ({
    userId,
    weight,
    picks,
    currentWeight,
  }));
  return { rotationId, name, keepsSender, members, version };
}
