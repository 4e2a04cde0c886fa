import type { Database } from "../db/client.js";
import { recordChange, type Actor } from "../policy/audit.js";

/** What an admin decided for the portal. */
export interface PortalChoices {
  defaultSenderUserId: bigint | null;
  /** Where alerts are posted; null: nowhere. */
  alertWebhookUrl: string | null;
  /** Of the settings row; 0 where none was saved yet. Goes into each form and comes back with it. */
  version: number;
}

export async function findChoices(
  { prisma }: Pick<Database, "prisma">,
  portalId: bigint,
): Promise<PortalChoices> {
  const row = await prisma.portalSettings.findUnique({ where: { portalId } });
  return {
    defaultSenderUserId: row?.defaultSenderUserId ?? null,
    alertWebhookUrl: row?.alertWebhookUrl ?? null,
    version: row?.version ?? 0,
  };
}

/** A new address for alerts, and the version its form was filled in from. */
export interface AlertChoice {
  url: string | null;
  version: number;
  by: Actor;
}

/**
 * Changes where alerts are posted and leaves the rest. False where somebody saved since the form was shown: nothing is
 * changed then. Of the address only its host is noted in the audit: the rest of it is often a secret.
 */
export async function saveAlertUrl(
  { prisma }: Pick<Database, "prisma">,
  portalId: bigint,
  { url, version, by }: AlertChoice,
): Promise<boolean> {
  return prisma.$transaction(async (transaction) => {
    await transaction.portalSettings.createMany({ data: [{ portalId }], skipDuplicates: true });
    const before = await transaction.portalSettings.findUniqueOrThrow({ where: { portalId } });
    const { count } = await transaction.portalSettings.updateMany({
      where: { portalId, version },
      data: { alertWebhookUrl: url, version: { increment: 1 } },
    });
    if (count === 0) return false;
    await recordChange(transaction, portalId, {
      ...{ by, subject: "portal", subjectName: "Alerts", action: "CHANGED" },
      before: { alertWebhookUrl: hostOf(before.alertWebhookUrl) },
      after: { alertWebhookUrl: describeNew(url, before.alertWebhookUrl) },
    });
    return true;
  });
}

/** Says that the address changed where its host did not. */
function describeNew(url: string | null, before: string | null): string | null {
  const host = hostOf(url);
  return url !== before && host !== null && host === hostOf(before) ? `${host} (another address)` : host;
}

function hostOf(url: string | null): string | null {
  return url === null ? null : new URL(url).host;
}
