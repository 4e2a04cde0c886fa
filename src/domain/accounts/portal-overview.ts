import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** What the settings page shows about the connection. */
export interface PortalOverview {
  portalId: PortalId;
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
  /** Set while an admin keeps the portal from enrolling. */
  pausedAt: Date | null;
}

/** SQL columns of `p` (portals), for {@link overviewOf}. */
export const OVERVIEW_COLUMNS = `p.status, p.disconnected_reason, p.hub_domain, p.ui_domain, p.time_zone, p.authorized_by_email,
  p.installed_at, p.scopes, p.directory_synced_at, p.directory_error,
  (SELECT ps.paused_at FROM portal_settings ps WHERE ps.portal_id = p.portal_id) AS paused_at`;

export interface OverviewColumns {
  status: string;
  disconnected_reason: string | null;
  hub_domain: string | null;
  ui_domain: string | null;
  time_zone: string | null;
  authorized_by_email: string | null;
  installed_at: Date;
  scopes: string[];
  directory_synced_at: Date | null;
  directory_error: string | null;
  paused_at: Date | null;
}

export function overviewOf(portalId: PortalId, row: OverviewColumns): PortalOverview {
  return {
    portalId,
    isConnected: row.status === "CONNECTED",
    disconnectedReason: row.disconnected_reason,
    hubDomain: row.hub_domain,
    uiDomain: row.ui_domain,
    timeZone: row.time_zone,
    connectedBy: row.authorized_by_email,
    connectedSince: row.installed_at,
    scopes: row.scopes,
    directorySyncedAt: row.directory_synced_at,
    directoryError: row.directory_error,
    pausedAt: row.paused_at,
  };
}

/** Undefined if the app was never installed in this portal. */
export async function findPortal(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<PortalOverview | undefined> {
  const { rows } = await pool.query<OverviewColumns>({
    name: "find-portal",
    text: `SELECT ${OVERVIEW_COLUMNS} FROM portals p WHERE portal_id = $1`,
    values: [portalId],
  });
  const [row] = rows;
  return row && overviewOf(portalId, row);
}
