import type { Database } from "#platform/db/client.js";

/** What an admin decided for the portal. */
export interface PortalChoices {
  defaultSenderUserId: bigint | null;
  /** Version of the settings row; 0 if none was saved yet. Sent with each form and returned with it. */
  version: number;
}

export async function findChoices(
  { prisma }: Pick<Database, "prisma">,
  portalId: bigint,
): Promise<PortalChoices> {
  const row = await prisma.portalSettings.findUnique({ where: { portalId } });
  return {
    defaultSenderUserId: row?.defaultSenderUserId ?? null,
    version: row?.version ?? 0,
  };
}
