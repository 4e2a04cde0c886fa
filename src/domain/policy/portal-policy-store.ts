import type { Database } from "#platform/db/client.js";
import type { Prisma } from "#platform/db/generated/client.js";
import { HOLD_DAYS, INITIAL_MAX_HOLD_DAYS } from "#domain/contract/hold.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { recordChange, type Snapshot } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { isAnyoneApproved } from "./approved-senders.js";
import { keepUndo } from "./undo-steps.js";
import { findActivePerson } from "#domain/directory/people.js";

/** What an admin decides for the whole portal. */
export interface AccountPolicy {
  readonly defaultSenderUserId: UserId | null;
  /** The preset that applies if a workflow's step names none; null: the built-in policy. */
  readonly defaultPresetId: bigint | null;
  /** As whom sequences are read first; null: the app chooses. */
  readonly sequenceReaderUserId: UserId | null;
  /** True: only allowed users may send. False: everyone except blocked users. */
  readonly onlyListedSenders: boolean;
  /** Longest hold of a contact that an action may ask HubSpot for. */
  readonly maxHoldDays: number;
  /** Days a finished execution is kept; null: the app's own default. */
  readonly retentionDays: number | null;
}

export interface StoredPortalPolicy {
  readonly policy: AccountPolicy;
  readonly defaultPresetName: string | null;
  /** Of the settings row, which holds more than the policy, but not the default preset; 0 if none was saved yet. */
  readonly version: number;
}

/** HubSpot's own default hold is a week: a shorter one could not hold a contact until its deadline. */
export const MIN_HOLD_DAYS = HOLD_DAYS;
export const MAX_HOLD_DAYS = 365;
/** Longer than the longest cooldown there is. */
export const MAX_RETENTION_DAYS = 3_650;

export async function findPortalPolicy(
  { prisma }: { prisma: Prisma.TransactionClient },
  portalId: PortalId,
): Promise<StoredPortalPolicy> {
  const row = await prisma.portalSettings.findUnique({ where: { portalId } });
  const preset = await prisma.preset.findFirst({ where: { portalId, isDefault: true } });
  return {
    policy: {
      defaultSenderUserId: row?.defaultSenderUserId ?? null,
      defaultPresetId: preset?.presetId ?? null,
      sequenceReaderUserId: row?.sequenceReaderUserId ?? null,
      onlyListedSenders: row?.onlyListedSenders ?? false,
      maxHoldDays: row?.maxHoldDays ?? INITIAL_MAX_HOLD_DAYS,
      retentionDays: row?.retentionDays ?? null,
    },
    defaultPresetName: preset?.name ?? null,
    version: row?.version ?? 0,
  };
}

/** What the person who requests a change was shown; what is absent is not compared. */
export interface ShownPolicy {
  /** Of the settings row. */
  readonly version?: number;
  readonly defaultPresetId?: bigint | null;
  /** Of the preset that is to be the default. */
  readonly presetVersion?: number;
}

export interface PolicyChange {
  /** What is named is changed; the rest stays. */
  readonly policy: Partial<AccountPolicy>;
  readonly shown: ShownPolicy;
  /** The key for undoing the change; undefined: it cannot be undone. */
  readonly undoKey?: string;
}

export type SavePolicyOutcome =
  | "saved" // also where it was so before, whatever had been shown: then nothing is changed
  | "unknown-sender" // nobody of this portal, or no longer active; the one it was before may stay
  | "unknown-reader" // the same of whoever sequences are to be read as
  | "unknown-preset"
  | "nobody-approved" // only approved users may send from then on, and nobody is approved: nobody could send
  | "changed-meanwhile"; // someone else saved since: nothing is changed

/**
 * Changes what applies to the whole portal, including its two defaults; nothing else writes any of it. Two changes at
 * once wait for each other, instead of colliding in the index that allows one default, or silently overwriting each
 * other.
 */
export async function savePortalPolicy(
  database: Pick<Database, "pool" | "prisma">,
  actor: Actor,
  change: PolicyChange,
): Promise<SavePolicyOutcome> {
  requireRight(actor, "savePortalPolicy");
  const unknown = await findUnknown(database, actor.portalId, change.policy);
  if (unknown !== undefined) return unknown;
  return inPrismaTransaction(database.prisma, (transaction) => changePolicy(transaction, actor, change));
}

/** The same within a transaction, for users who are known. */
// eslint-disable-next-line house/audited-verbs -- a part of `savePortalPolicy` and `undoChange`
export async function changePolicy(
  transaction: Prisma.TransactionClient,
  actor: Actor,
  { action = "CHANGED", undoKey, ...change }: PolicyChange & { action?: "CHANGED" | "UNDONE" },
): Promise<SavePolicyOutcome> {
  await lockPolicy(transaction, actor.portalId);
  const before = await findPortalPolicy({ prisma: transaction }, actor.portalId);
  if (isSame(before.policy, { ...before.policy, ...change.policy })) return "saved";
  const problem = await findProblem(transaction, actor.portalId, { before, change });
  if (problem !== undefined) return problem;
  await write(transaction, actor.portalId, change.policy);
  const after = await findPortalPolicy({ prisma: transaction }, actor.portalId);
  await recordChange(transaction, actor, {
    subject: "portal",
    subjectName: "Policy",
    action,
    ...whatDiffers(before, after),
  });
  const { version } = after;
  const { defaultPresetId } = after.policy;
  const replaced = replacedBy(change.policy, before.policy);
  await keepUndo(transaction, actor, {
    undoKey,
    step: { kind: "policy", before: replaced, version, defaultPresetId },
  });
  return "saved";
}

/** The earlier values of everything that a change names. */
function replacedBy(change: Partial<AccountPolicy>, before: AccountPolicy): Partial<AccountPolicy> {
  return Object.fromEntries(Object.entries(before).filter(([field]) => Object.hasOwn(change, field)));
}

/** Whether a change names someone who is not an active user of the portal. Whoever it was before may stay. */
async function findUnknown(
  database: Pick<Database, "pool" | "prisma">,
  portalId: PortalId,
  { defaultSenderUserId = null, sequenceReaderUserId = null }: Partial<AccountPolicy>,
): Promise<"unknown-sender" | "unknown-reader" | undefined> {
  if (defaultSenderUserId === null && sequenceReaderUserId === null) return undefined;
  const { policy } = await findPortalPolicy(database, portalId);
  const isKnown = async (chosen: bigint | null, before: bigint | null): Promise<boolean> =>
    chosen === null ||
    chosen === before ||
    (await findActivePerson(database.pool, portalId, chosen)) !== undefined;
  if (!(await isKnown(defaultSenderUserId, policy.defaultSenderUserId))) return "unknown-sender";
  return (await isKnown(sequenceReaderUserId, policy.sequenceReaderUserId)) ? undefined : "unknown-reader";
}

/**
 * Locks the settings row, creating it if there is none, and then all presets by id: everyone who locks both does so in
 * this order.
 */
async function lockPolicy(transaction: Prisma.TransactionClient, portalId: PortalId): Promise<void> {
  await transaction.portalSettings.createMany({ data: [{ portalId }], skipDuplicates: true });
  await transaction.$queryRaw`SELECT 1 AS held FROM portal_settings WHERE portal_id = ${portalId} FOR UPDATE`;
  await transaction.$queryRaw`
    SELECT 1 AS held FROM presets WHERE portal_id = ${portalId} ORDER BY preset_id FOR UPDATE`;
}

/** Why a change cannot be made to what is stored. */
async function findProblem(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  { before, change: { policy, shown } }: { before: StoredPortalPolicy; change: PolicyChange },
): Promise<"unknown-preset" | "nobody-approved" | "changed-meanwhile" | undefined> {
  const presetId = policy.defaultPresetId ?? null;
  const preset =
    presetId === null
      ? null
      : await transaction.preset.findUnique({ where: { portalId_presetId: { portalId, presetId } } });
  if (presetId !== null && preset === null) return "unknown-preset";
  const isAsShown =
    (shown.version ?? before.version) === before.version &&
    (shown.defaultPresetId === undefined || shown.defaultPresetId === before.policy.defaultPresetId) &&
    (preset === null || (shown.presetVersion ?? preset.version) === preset.version);
  if (!isAsShown) return "changed-meanwhile";
  const turnsListOn = policy.onlyListedSenders === true && !before.policy.onlyListedSenders;
  return turnsListOn && !(await isAnyoneApproved(transaction, portalId)) ? "nobody-approved" : undefined;
}

/** A preset's version stays: no form of a preset holds whether it is the default. */
async function write(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
  { defaultPresetId, ...settings }: Partial<AccountPolicy>,
): Promise<void> {
  if (Object.keys(settings).length > 0)
    await transaction.portalSettings.update({
      where: { portalId },
      data: { ...settings, version: { increment: 1 } },
    });
  if (defaultPresetId === undefined) return;
  // The old one goes first: a portal has one at most.
  await transaction.preset.updateMany({ where: { portalId, isDefault: true }, data: { isDefault: false } });
  if (defaultPresetId !== null)
    await transaction.preset.update({
      where: { portalId_presetId: { portalId, presetId: defaultPresetId } },
      data: { isDefault: true },
    });
}

/** The preset by its name, which the audit still shows after the preset is deleted. */
function whatDiffers(before: StoredPortalPolicy, after: StoredPortalPolicy) {
  const noted = ({ policy, defaultPresetName }: StoredPortalPolicy): Snapshot => ({
    ...policySnapshot(policy),
    defaultPreset: defaultPresetName,
  });
  const [was, is] = [noted(before), noted(after)];
  const names = Object.keys(is).filter((name) => was[name] !== is[name]);
  const pick = (side: Snapshot) => Object.fromEntries(names.map((name) => [name, side[name]]));
  return { before: pick(was), after: pick(is) };
}

function isSame(one: AccountPolicy, other: AccountPolicy): boolean {
  return (Object.keys(one) as (keyof AccountPolicy)[]).every((field) => one[field] === other[field]);
}

/** What the portal's form holds: everything but the default preset, which is chosen on the list of presets. */
export type PolicyForm = Omit<AccountPolicy, "defaultPresetId">;

/** The same in the form in which it is recorded and compared. */
export function policySnapshot(policy: PolicyForm): Snapshot {
  return {
    defaultSenderUserId: policy.defaultSenderUserId?.toString() ?? null,
    sequenceReaderUserId: policy.sequenceReaderUserId?.toString() ?? null,
    onlyListedSenders: policy.onlyListedSenders,
    maxHoldDays: policy.maxHoldDays,
    retentionDays: policy.retentionDays,
  };
}
