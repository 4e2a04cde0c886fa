import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** What one request of the settings site may use of its portal's window. */
export interface SiteSlot {
  readonly portalId: PortalId;
  /** Ms from now until HubSpot certainly no longer counts the request. */
  readonly heldMs: number;
  /** Requests per window that we allow ourselves. */
  readonly limit: number;
  /** Of these, what the portal's owner leaves to the site. */
  readonly reserve: number;
}

/**
 * While an owner drains the portal, what it accounts for is in its memory and the column holds the site's requests alone:
 * they keep to the reserve. At rest the column holds what is left of the whole window: they keep to its limit.
 */
const TAKE = `
  INSERT INTO portal_drains AS drain (portal_id, request_slots_free_at)
  VALUES ($1, ARRAY[clock_timestamp() + $2::float8 * interval '1 millisecond'])
  ON CONFLICT (portal_id) DO UPDATE
    SET request_slots_free_at = excluded.request_slots_free_at || ARRAY(
          SELECT free_at FROM unnest(drain.request_slots_free_at) AS free_at WHERE free_at > clock_timestamp())
  WHERE (SELECT count(*) FROM unnest(drain.request_slots_free_at) AS free_at WHERE free_at > clock_timestamp())
        < CASE WHEN drain.is_released THEN least($3::int, drain.request_allowance) ELSE $4::int END`;

/**
 * Takes a place in the portal's request window for the settings site, of whatever process: one conditional update of the
 * row that all of them and the portal's owners share, so that together they never exceed the window. A person asks
 * rarely; nothing on the owner's way is slower for it.
 *
 * @returns false if there is none now.
 */
export async function takeSiteSlot(
  pool: Pool,
  { portalId, heldMs, limit, reserve }: SiteSlot,
): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: "take-site-slot",
    text: TAKE,
    values: [portalId, heldMs, limit, reserve],
  });
  return rowCount === 1;
}
