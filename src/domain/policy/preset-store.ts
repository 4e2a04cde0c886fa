import type { Database } from "#platform/db/client.js";
import type { Preset, Prisma } from "#platform/db/generated/client.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange, type Snapshot } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { canUnenroll } from "#domain/unenroll/setup.js";
import { isNameTaken } from "./name-taken.js";
import { keepUndo } from "./undo-steps.js";
import { policySchema, type Policy } from "#domain/contract/policy.js";

export interface PresetDraft {
  readonly name: string;
  readonly policy: Policy;
}

export interface StoredPreset extends PresetDraft {
  readonly presetId: bigint;
  /** Applies if a workflow's step names no preset. */
  readonly isDefault: boolean;
  readonly version: number;
}

/** Nobody can keep track of more, and a page can show all of them. */
export const MAX_PRESETS = 500;

/** A preset in a list. Its suppressed domains, which may be a thousand, are only counted. */
export interface ListedPreset extends StoredPreset {
  readonly domainCount: number;
}

/** The first MAX_PRESETS presets of a portal, the default first, then by name. */
export async function listPresets(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<ListedPreset[]> {
  const { rows } = await pool.query<{
    preset_id: string;
    name: string;
    policy: unknown;
    is_default: boolean;
    version: number;
    domain_count: number;
  }>(
    `SELECT preset_id, name, is_default, version, jsonb_array_length(policy #> '{suppression,domains}') AS domain_count,
            jsonb_set(policy, '{suppression,domains}', '[]') AS policy
       FROM presets WHERE portal_id = $1 ORDER BY is_default DESC, name, preset_id LIMIT ${MAX_PRESETS}`,
    [portalId],
  );
  return rows.map(({ preset_id, name, policy, is_default, version, domain_count }) => ({
    presetId: BigInt(preset_id),
    name,
    isDefault: is_default,
    version,
    domainCount: domain_count,
    policy: policySchema.parse(policy),
  }));
}

/** Only their names, in the same order. */
export function listPresetNames(
  { prisma }: Pick<Database, "prisma">,
  portalId: PortalId,
): Promise<Pick<StoredPreset, "presetId" | "name">[]> {
  return prisma.preset.findMany({
    where: { portalId },
    select: { presetId: true, name: true },
    orderBy: [{ isDefault: "desc" }, { name: "asc" }, { presetId: "asc" }],
    take: MAX_PRESETS,
  });
}

/** Undefined if the portal has none with this id. */
export async function findPreset(
  { prisma }: { prisma: Prisma.TransactionClient },
  portalId: PortalId,
  presetId: bigint,
): Promise<StoredPreset | undefined> {
  const row = await prisma.preset.findUnique({ where: { portalId_presetId: { portalId, presetId } } });
  return row === null ? undefined : fromRow(row);
}

export type SavePresetOutcome =
  | { kind: "saved"; presetId: bigint }
  | { kind: "changed-meanwhile" } // another admin saved since the form was shown, or deleted it: nothing is changed
  | { kind: "name-taken" }
  | { kind: "too-many" } // the portal has MAX_PRESETS; two concurrent ones may exceed it by one
  | { kind: "cannot-replace" } // the account has not set unenrolling up
  | { kind: "rotation-gone" }; // the policy names a rotation the portal does not have (anymore)

/**
 * @param change.saved the preset to change, and the version its form was filled in from; undefined: a new one.
 * @param change.undoKey the key for undoing the change; undefined: it cannot be undone.
 */
export async function savePreset(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  change: {
    draft: PresetDraft;
    saved: { presetId: bigint; version: number } | undefined;
    undoKey?: string;
  },
): Promise<SavePresetOutcome> {
  requireRight(actor, "savePreset");
  const { portalId } = actor;
  const { draft, saved } = change;
  try {
    return await inPrismaTransaction(prisma, async (transaction) => {
      if (!(await holdRotations(transaction, portalId, draft.policy))) return { kind: "rotation-gone" };
      if (saved === undefined && (await transaction.preset.count({ where: { portalId } })) >= MAX_PRESETS)
        return { kind: "too-many" };
      const before = saved && (await findPreset({ prisma: transaction }, portalId, saved.presetId));
      if (beginsToReplace(draft, before) && !(await canUnenroll(transaction, portalId)))
        return { kind: "cannot-replace" };
      const presetId =
        saved === undefined
          ? await insertPreset(transaction, portalId, draft)
          : await updatePreset(transaction, portalId, { ...saved, draft });
      if (presetId === undefined) return { kind: "changed-meanwhile" };
      await recordChange(transaction, actor, {
        subject: "preset",
        subjectName: draft.name,
        action: before ? "CHANGED" : "CREATED",
        before: before && presetSnapshot(before),
        after: presetSnapshot(draft),
      });
      if (before !== undefined)
        await keepUndo(transaction, actor, {
          undoKey: change.undoKey,
          step: { kind: "preset", presetId, before, version: before.version + 1 },
        });
      return { kind: "saved", presetId };
    });
  } catch (error) {
    if (isNameTaken(error)) return { kind: "name-taken" };
    throw error;
  }
}

/** A preset that already replaces may stay so: its contacts stay where they are while unenrolling does not work. */
function beginsToReplace(draft: PresetDraft, before: PresetDraft | undefined): boolean {
  return draft.policy.ifAlreadyEnrolled === "replace" && before?.policy.ifAlreadyEnrolled !== "replace";
}

/**
 * Locks the rotations a policy names, so that none is deleted before the preset is committed. False: one is missing.
 */
export async function holdRotations(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  { sender, fallback }: Policy,
): Promise<boolean> {
  const named = [sender.mode === "rotation" ? sender.rotationId : null, fallback.rotationId];
  const wanted = new Set(named.filter((id) => id !== null));
  const held = await transaction.$queryRaw<unknown[]>`
    SELECT 1 AS held FROM rotations
     WHERE portal_id = ${portalId} AND rotation_id = ANY (${[...wanted].map(BigInt)}::bigint[])
     ORDER BY rotation_id FOR SHARE`;
  return held.length === wanted.size;
}

async function insertPreset(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  { name, policy }: PresetDraft,
): Promise<bigint> {
  const row = await transaction.preset.create({ data: { portalId, name, policy, version: 1 } });
  return row.presetId;
}

async function updatePreset(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  change: { presetId: bigint; version: number; draft: PresetDraft },
): Promise<bigint | undefined> {
  const { presetId, version, draft } = change;
  const { name, policy } = draft;
  const { count } = await transaction.preset.updateMany({
    where: { portalId, presetId, version },
    data: { name, policy, version: { increment: 1 } },
  });
  return count === 0 ? undefined : presetId;
}

/**
 * Deletes a preset. Without a default preset, the built-in policy applies.
 *
 * @param change.version the version the page with the button was shown at.
 * @returns "deleted", even if it was gone before; "changed-meanwhile" if someone saved it since: it is kept.
 */
export async function deletePreset(
  { prisma }: Pick<Database, "prisma">,
  actor: Actor,
  { presetId, version, undoKey }: { presetId: bigint; version: number; undoKey?: string },
): Promise<"deleted" | "changed-meanwhile"> {
  requireRight(actor, "deletePreset");
  const { portalId } = actor;
  return inPrismaTransaction(prisma, async (transaction) => {
    const before = await findPreset({ prisma: transaction }, portalId, presetId);
    const { count } = await transaction.preset.deleteMany({ where: { portalId, presetId, version } });
    if (before === undefined) return "deleted";
    if (count === 0) return "changed-meanwhile";
    await recordChange(transaction, actor, {
      subject: "preset",
      subjectName: before.name,
      action: "DELETED",
      before: { ...presetSnapshot(before), isDefault: before.isDefault },
    });
    await keepUndo(transaction, actor, {
      undoKey,
      step: { kind: "preset", presetId, before, version: null },
    });
    return "deleted";
  });
}

/** A preset in the form in which it is recorded and compared. */
export function presetSnapshot({ name, policy }: PresetDraft): Snapshot {
  return { name, ...policySchema.parse(policy) };
}

function fromRow({ presetId, name, policy, isDefault, version }: Preset): StoredPreset {
  return { presetId, name, policy: policySchema.parse(policy), isDefault, version };
}
