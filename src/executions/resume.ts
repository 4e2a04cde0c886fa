import type { Pool } from "pg";

/**
 * After a (re)connect: what waited for the grant, or for HubSpot to recover, is due now, and the circuit is closed.
 * What an owner is reading this moment stays its own: made due, it would be claimed a second time.
 *
 * The states stand one by one, each with its partial index: as a list they would have all of the portal's history read.
 */
export async function resumePortal(pool: Pool, portalId: bigint): Promise<void> {
  await pool.query(
    `UPDATE executions SET due_at = now()
      WHERE portal_id = $1 AND due_at > now()
        AND (state = 'QUEUED' OR (state = 'UNCERTAIN' AND epoch IS NULL) OR state = 'DECIDED')`,
    [portalId],
  );
  await pool.query(
    `UPDATE portal_drains SET circuit_open_until = NULL, circuit_opened_at = NULL, circuit_reason = NULL, circuit_trips = 0,
            resumed_at = now()
      WHERE portal_id = $1`,
    [portalId],
  );
}

/**
 * After an admin changed who may send, or how much: contacts that wait for a sender look again now, and take new places
 * where there are none yet.
 */
export async function wakeWaiters(pool: Pool, portalId: bigint): Promise<void> {
  await pool.query(
    `UPDATE executions SET due_at = now()
      WHERE portal_id = $1 AND state = 'QUEUED' AND due_at > now() AND sender_choice -> 'chosen' = 'null'::jsonb`,
    [portalId],
  );
}
