import type { Portal } from "#platform/db/generated/client.js";
import type { Database } from "#platform/db/client.js";

/** What the settings page shows about the connection. */
export interface PortalOverview {
  portalId: bigint;
  isConnected: boolean;
  disconnectedReason: string | null;
  hubDomain: string | null;
  uiDomain: string | null;
  timeZone: string | null;
  connectedBy: string | null;
  connectedSince: Date;
  scopes: readonly string[];
  directorySyncedAt: Date | null;
  directoryError: string | null;
}

/** Undefined if the app was never installed in this portal. */
export async function findPortal(
  { prisma }: Database,
  portalId: bigint,
): Promise<PortalOverview | undefined> {
  const portal = await prisma.portal.findUnique({ where: { portalId } });
  return portal === null ? undefined : toOverview(portal);
}

function toOverview(portal: Portal): PortalOverview {
  return {
    portalId: portal.portalId,
    isConnected: portal.status === "CONNECTED",
    disconnectedReason: portal.disconnectedReason,
    hubDomain: portal.hubDomain,
    uiDomain: portal.uiDomain,
    timeZone: portal.timeZone,
    connectedBy: portal.authorizedByEmail,
    connectedSince: portal.installedAt,
    scopes: portal.scopes,
    directorySyncedAt: portal.directorySyncedAt,
    directoryError: portal.directoryError,
  };
}
