import type { Database } from "#platform/db/client.js";
import type { Prisma } from "#platform/db/generated/client.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import { recordChange, recordChanges } from "#domain/audit/record-change.js";
import { authorOf, type Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { isNameTaken } from "./name-taken.js";
import { changePolicy } from "./portal-policy-store.js";
import { findPreset, holdRotations, presetSnapshot } from "./preset-store.js";
import { findRotation, replaceMembers, rotationSnapshot } from "./rotation-store.js";
import { findSender, noted, senderSnapshot } from "./sender-store.js";
import { undoStep, UNDO_MINUTES, type UndoStep } from "./undo-steps.js";

type StepOf<Kind> = Extract<UndoStep, { kind: Kind }>;

/**
 * Why a change cannot be undone: someone changed the thing since, something else has its name now, it needs a rotation
 * that is gone, the time is over, or this person made no such change.
 */
export type NotUndone = "changed-meanwhile" | "name-taken" | "rotation-gone" | "too-late" | "unknown";

class Refused extends Error {
  readonly reason: NotUndone;

  constructor(reason: NotUndone) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Undoes a change that this person made within the last minutes, if its result is still unchanged. Doing so twice has
 * the effect of once.
 *
 * @returns what the change was about, in either case "undone".
 */
export async function undoChange(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  key: string,
): Promise<{ kind: "undone"; of: UndoStep["kind"] } | { kind: NotUndone }> {
  requireRight(actor, "undoChange");
  try {
    return await inPrismaTransaction(prisma, async (transaction) => {
      const { step, isUndone } = await takeStep(transaction, actor, key);
      if (!isUndone) await restore(transaction, actor, step);
      return { kind: "undone", of: step.kind };
    });
  } catch (error) {
    if (error instanceof Refused) return { kind: error.reason };
    if (isNameTaken(error)) return { kind: "name-taken" };
    throw error;
  }
}

/** Marks the step as undone, which holds its row until the end: whoever asks at the same time waits. */
async function takeStep(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  key: string,
): Promise<{ step: UndoStep; isUndone: boolean }> {
  const rows = await transaction.$queryRaw<{ step: unknown; is_undone: boolean; is_late: boolean }[]>`
    SELECT step, undone_at IS NOT NULL AS is_undone,
           created_at < now() - ${UNDO_MINUTES} * interval '1 minute' AS is_late
      FROM undo_steps
     WHERE portal_id = ${actor.portalId} AND key = ${key} AND user_id IS NOT DISTINCT FROM ${authorOf(actor).userId}::bigint
       FOR UPDATE`;
  const [row] = rows;
  if (row === undefined) throw new Refused("unknown");
  const step = undoStep.parse(row.step);
  if (row.is_undone) return { step, isUndone: true };
  if (row.is_late) throw new Refused("too-late");
  await transaction.undoStep.update({
    where: { portalId_key: { portalId: actor.portalId, key } },
    data: { undoneAt: new Date() },
  });
  return { step, isUndone: false };
}

function restore(transaction: Prisma.TransactionClient, actor: Actor, step: UndoStep): Promise<void> {
  switch (step.kind) {
    case "preset":
      return restorePreset(transaction, actor, step);
    case "rotation":
      return restoreRotation(transaction, actor, step);
    case "marks":
      return restoreMarks(transaction, actor, step);
    case "sender":
      return restoreSender(transaction, actor, step);
    case "policy":
      return restorePolicy(transaction, actor, step);
  }
}

/** A deleted preset comes back under its old id, by which workflows name it; as the default only if there is none now. */
async function restorePreset(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { presetId, before, version }: StepOf<"preset">,
): Promise<void> {
  const { portalId } = actor;
  const { name, policy } = before;
  const now = await findPreset({ prisma: transaction }, portalId, presetId);
  if ((now?.version ?? null) !== version) throw new Refused("changed-meanwhile");
  if (!(await holdRotations(transaction, portalId, policy))) throw new Refused("rotation-gone");
  if (now === undefined) {
    const hasDefault = (await transaction.preset.count({ where: { portalId, isDefault: true } })) > 0;
    const isDefault = before.isDefault && !hasDefault;
    await transaction.preset.create({ data: { portalId, presetId, name, policy, isDefault, version: 1 } });
  } else {
    const { count } = await transaction.preset.updateMany({
      where: { portalId, presetId, version: now.version },
      data: { name, policy, version: { increment: 1 } },
    });
    if (count === 0) throw new Refused("changed-meanwhile");
  }
  await recordChange(transaction, actor, {
    subject: "preset",
    subjectName: name,
    action: "UNDONE",
    before: now && presetSnapshot(now),
    after: presetSnapshot(before),
  });
}

async function restoreRotation(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { rotationId, before, version }: StepOf<"rotation">,
): Promise<void> {
  const { portalId } = actor;
  const { name, keepsSender, members } = before;
  const key = { portalId, rotationId };
  const now = await findRotation({ prisma: transaction }, portalId, rotationId);
  if ((now?.version ?? null) !== version) throw new Refused("changed-meanwhile");
  if (now === undefined) {
    await transaction.rotation.create({ data: { ...key, name, keepsSender, version: 1 } });
    await transaction.rotationMember.createMany({ data: members.map((member) => ({ ...key, ...member })) });
  } else {
    const { count } = await transaction.rotation.updateMany({
      where: { ...key, version: now.version },
      data: { name, keepsSender, version: { increment: 1 } },
    });
    if (count === 0) throw new Refused("changed-meanwhile");
    await replaceMembers(transaction, key, before);
  }
  await recordChange(transaction, actor, {
    subject: "rotation",
    subjectName: name,
    action: "UNDONE",
    before: now && rotationSnapshot(now),
    after: rotationSnapshot(before),
  });
}

async function restoreMarks(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { senders }: StepOf<"marks">,
): Promise<void> {
  const { portalId } = actor;
  const changes = [];
  for (const { userId, name, isAllowed, version } of senders) {
    const key = { portalId_userId: { portalId, userId } };
    const now = await transaction.senderSettings.findUnique({ where: key });
    const { count } = await transaction.senderSettings.updateMany({
      where: { portalId, userId, version },
      data: { isAllowed, version: { increment: 1 } },
    });
    if (now === null || count === 0) throw new Refused("changed-meanwhile");
    changes.push({
      subject: "sender",
      subjectName: name,
      action: "UNDONE",
      before: { isAllowed: now.isAllowed },
      after: { isAllowed },
    });
  }
  await recordChanges(transaction, actor, changes);
}

/** What HubSpot said about the sender is left as it is now. */
async function restoreSender(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { userId, name, before, version }: StepOf<"sender">,
): Promise<void> {
  const { portalId } = actor;
  const now = await findSender({ prisma: transaction }, portalId, userId);
  const { count } = await transaction.senderSettings.updateMany({
    where: { portalId, userId, version },
    data: { ...before, version: { increment: 1 } },
  });
  if (count === 0) throw new Refused("changed-meanwhile");
  await recordChange(transaction, actor, {
    ...noted({ userId, name }),
    action: "UNDONE",
    before: senderSnapshot(now.choices),
    after: senderSnapshot(before),
  });
}

async function restorePolicy(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { before, version, defaultPresetId }: StepOf<"policy">,
): Promise<void> {
  const policy = Object.fromEntries(Object.entries(before).filter(([, value]) => value !== undefined));
  const outcome = await changePolicy(transaction, actor, {
    action: "UNDONE",
    policy,
    shown: { version, defaultPresetId },
  });
  if (outcome !== "saved") throw new Refused("changed-meanwhile");
}
