import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** The state of the connection to HubSpot, besides the granted scopes. */
export interface ConnectionHealth {
  /** When the current access token expires; a new one is fetched before. Null if there is none. */
  readonly tokenEndsAt: Date | null;
  /** True while a process is working on the portal's contacts. */
  readonly isDraining: boolean;
  /** Our requests that HubSpot still counts; null while a process drains and has not recorded them yet. */
  readonly requestsCounted: number | null;
  /** Contacts decided in the last 10 s. */
  readonly decidedLately: number;
  /** Requests per 10 s that HubSpot's last answer allowed; null: not known yet. */
  readonly requestAllowance: number | null;
}

interface Row {
  token_ends_at: Date | null;
  is_draining: boolean;
  requests_counted: number;
  requests_noted: number | null;
  decided_lately: number;
  request_allowance: number | null;
}

export async function readHealth(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<ConnectionHealth> {
  const { rows } = await pool.query<Row>({
    name: "connection-health",
    text: `
      SELECT t.access_expires_at AS token_ends_at, NOT coalesce(d.is_released, true) AS is_draining,
             (SELECT count(*)::int FROM unnest(d.request_slots_free_at) AS free_at WHERE free_at > now()) AS requests_counted,
             pace.requests_counted AS requests_noted,
             (SELECT count(*)::int FROM executions e
               WHERE e.portal_id = $1 AND e.decided_at > now() - interval '10 seconds') AS decided_lately,
             d.request_allowance
        FROM portals p
        LEFT JOIN portal_tokens t USING (portal_id)
        LEFT JOIN portal_drains d USING (portal_id)
        LEFT JOIN portal_paces pace ON pace.portal_id = $1 AND pace.noted_at > now() - interval '5 seconds'
       WHERE p.portal_id = $1`,
    values: [portalId],
  });
  const [row] = rows;
  const isDraining = row?.is_draining ?? false;
  return {
    tokenEndsAt: row?.token_ends_at ?? null,
    isDraining,
    requestsCounted: countRequests(row),
    decidedLately: row?.decided_lately ?? 0,
    requestAllowance: row?.request_allowance ?? null,
  };
}

/**
 * While a process drains, the stored slots count only the settings site's requests; the process has recorded its own.
 */
function countRequests(row: Row | undefined): number | null {
  if (row === undefined) return 0;
  if (!row.is_draining) return row.requests_counted;
  return row.requests_noted === null ? null : row.requests_noted + row.requests_counted;
}

/** Scopes the app asks for; the granted ones are in the portal's own list. */
export interface AppScopes {
  required: readonly string[];
  optional: readonly string[];
}
