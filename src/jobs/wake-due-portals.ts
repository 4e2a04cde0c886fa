import type { Pool } from "pg";
import { HOLD_HOURS } from "../executions/hold.js";

/** Portals with something to do now. Wakes are only hints: this is what finds timers that ran out and wakes that got lost. */
export async function findDuePortals(pool: Pool): Promise<bigint[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-due-portals",
    text: `
      SELECT p.portal_id FROM portals p LEFT JOIN portal_drains d USING (portal_id)
       WHERE p.status = 'CONNECTED' AND (d.circuit_open_until IS NULL OR d.circuit_open_until <= now()) AND (
             (p.directory_requested_at <= now() AND p.directory_requested_at > coalesce(p.directory_synced_at, '-infinity'))
          OR EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN')
                      AND e.due_at <= now())
          OR EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'DECIDED' AND e.due_at <= now()))`,
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}

/**
 * Portals that cannot be called (disconnected, or their circuit is open) and hold something past its time. Looks at every
 * open execution of theirs, so it is asked far less often.
 */
export async function findOverduePortals(pool: Pool): Promise<bigint[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-overdue-portals",
    text: `
      SELECT p.portal_id FROM portals p LEFT JOIN portal_drains d USING (portal_id)
       WHERE (p.status <> 'CONNECTED' OR d.circuit_open_until > now()) AND (
             EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN')
                      AND e.deadline_at <= now())
          OR EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'DECIDED'
                      AND e.accepted_at <= now() - $1 * interval '1 hour'))`,
    values: [HOLD_HOURS],
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}

/** Whether a turn would find an execution to attempt now. */
export async function hasQueuedWork(pool: Pool, portalId: bigint): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: "has-queued-work",
    text: `SELECT FROM executions WHERE portal_id = $1 AND state = 'QUEUED' AND due_at <= now() LIMIT 1`,
    values: [portalId],
  });
  return rowCount !== 0;
}
