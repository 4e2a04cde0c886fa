import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** How many senders cannot send, because HubSpot refused the last enrollment in their name. */
export async function countRefusedSenders(pool: Pool, portalId: PortalId): Promise<number> {
  const { rows } = await pool.query<{ refused: number }>({
    name: "refused-senders",
    text: "SELECT count(*)::int AS refused FROM senders WHERE portal_id = $1 AND refused_code IS NOT NULL",
    values: [portalId],
  });
  return rows[0]?.refused ?? 0;
}
