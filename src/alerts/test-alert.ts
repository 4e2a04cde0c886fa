import type { Pool } from "pg";
import { raiseAlert } from "./outbox.js";

/**
 * Raises a TEST alert in place of any that is still to be sent: the newest one tells whether the address works now, and
 * a portal has one at a time however often the button is pressed.
 */
export async function raiseTestAlert(pool: Pool, portalId: bigint, message: string): Promise<void> {
  await pool.query(
    `UPDATE alerts SET outcome = 'FAILED', ended_at = now()
     WHERE portal_id = $1 AND kind = 'TEST' AND outcome IS NULL`,
    [portalId],
  );
  await raiseAlert(pool, { portalId, kind: "TEST", message });
}
