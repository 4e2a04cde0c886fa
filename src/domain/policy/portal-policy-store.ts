import type { Database } from "#platform/db/client.js";
import type { Prisma } from "#platform/db/generated/client.js";
import { HOLD_DAYS, INITIAL_MAX_HOLD_DAYS } from "#domain/contract/hold.js";
import { inPrismaTransaction } from "#platform/db/transaction.js";
import { recordChange, type Actor, type Snapshot } from "#domain/audit/audit.js";

/** What an admin decides for the whole portal. */
export interface PortalPolicy {
  readonly defaultSenderUserId: bigint | null;
  /** The user as whom sequences are read first; null: the app chooses. */
  readonly sequenceReaderUserId: bigint | null;
  /** True: only allowed users may send. False: everyone except blocked users. */
  readonly onlyListedSenders: boolean;
  /** Longest hold of a contact that an action may ask HubSpot for. */
  readonly maxHoldDays: number;
  /** Days a finished execution is kept; null: the app's own default. */
  readonly retentionDays: number | null;
}

export interface StoredPortalPolicy {
  readonly policy: PortalPolicy;
  /** Version of the settings row, which holds more than the policy; 0 if none was saved yet. */
  readonly version: number;
}

/** HubSpot's own default hold is a week: a shorter one could not hold a contact until its deadline. */
export const MIN_HOLD_DAYS = HOLD_DAYS;
export const MAX_HOLD_DAYS = 365;
/** Longer than the longest cooldown there is. */
export const MAX_RETENTION_DAYS = 3_650;

export async function findPortalPolicy(
  { prisma }: { prisma: Prisma.TransactionClient },
  portalId: bigint,
): Promise<StoredPortalPolicy> {
  const row = await prisma.portalSettings.findUnique({ where: { portalId } });
  return {
    policy: {
      defaultSenderUserId: row?.defaultSenderUserId ?? null,
      sequenceReaderUserId: row?.sequenceReaderUserId ?? null,
      onlyListedSenders: row?.onlyListedSenders ?? false,
      maxHoldDays: row?.maxHoldDays ?? INITIAL_MAX_HOLD_DAYS,
      retentionDays: row?.retentionDays ?? null,
    },
    version: row?.version ?? 0,
  };
}

/**
 * Changes the given fields and leaves the rest.
 *
 * @param change.version the version the form was filled in from.
 * @returns false if someone saved since then: nothing is changed.
 */
export async function savePortalPolicy(
  { prisma }: Pick<Database, "prisma">,
  portalId: bigint,
  change: { policy: Partial<PortalPolicy>; version: number; by: Actor },
): Promise<boolean> {
  const { version, by } = change;
  return inPrismaTransaction(prisma, async (transaction) => {
    await transaction.portalSettings.createMany({ data: [{ portalId }], skipDuplicates: true });
    await transaction.$queryRaw`SELECT 1 AS held FROM portal_settings WHERE portal_id = ${portalId} FOR UPDATE`;
    const before = await findPortalPolicy({ prisma: transaction }, portalId);
    if (before.version !== version) return false;
    await transaction.portalSettings.update({
      where: { portalId },
      data: { ...change.policy, version: { increment: 1 } },
    });
    await recordChange(transaction, portalId, {
      by,
      subject: "portal",
      subjectName: "Policy",
      action: "CHANGED",
      before: snapshotOf(before.policy),
      after: snapshotOf({ ...before.policy, ...change.policy }),
    });
    return true;
  });
}

/** The policy in the form in which it is recorded and compared. */
export function snapshotOf(policy: PortalPolicy): Snapshot {
  return {
    defaultSenderUserId: policy.defaultSenderUserId?.toString() ?? null,
    sequenceReaderUserId: policy.sequenceReaderUserId?.toString() ?? null,
    onlyListedSenders: policy.onlyListedSenders,
    maxHoldDays: policy.maxHoldDays,
    retentionDays: policy.retentionDays,
  };
}
