import type { Pool } from "pg";
import type { AlertChannel } from "./outbox.js";

/**
 * Raises a TEST alert in place of any of its channel that is still to be sent: the newest one tells whether the address
 * works now, and a portal has one at a time however often the button is pressed.
 */
export async function raiseTestAlert(
  pool: Pool,
  portalId: bigint,
  { channel, message }: { channel: AlertChannel; message: string },
): Promise<void> {
  await pool.query(
    `UPDATE alerts SET outcome = 'FAILED', ended_at = now()
     WHERE portal_id = $1 AND kind = 'TEST' AND channel = $2 AND outcome IS NULL`,
    [portalId, channel],
  );
  await pool.query(`INSERT INTO alerts (portal_id, kind, channel, message) VALUES ($1, 'TEST', $2, $3)`, [
    portalId,
    channel,
    message,
  ]);
}
