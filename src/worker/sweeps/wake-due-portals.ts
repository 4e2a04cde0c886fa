import type { Pool } from "pg";
import { areLooksDue } from "#domain/ends/open-enrollments.js";
import { ARE_FLOWS_ASKED } from "#domain/flows/flow-state.js";
import { NEXT_FLOW_ENTRY } from "#domain/flow-entries/flow-entry.js";
import { NEXT_MADE_FLOW } from "#domain/ready-made/made-flow.js";
import { NEXT_UNENROLLMENT } from "#domain/unenroll/unenrollments.js";
import { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/**
 * Portals with due work. Wakes are only hints: this finds expired timers and lost wakes.
 *
 * `min` and not EXISTS: the earliest is one index lookup per portal, while for an EXISTS the planner expects to find a
 * row soon by reading the table from its start, and reads all of it for an idle portal (query-plans.test.ts).
 */
export async function findDuePortals(pool: Pool): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-due-portals",
    text: `
      SELECT p.portal_id FROM portals p LEFT JOIN portal_drains d USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)
       WHERE p.status = 'CONNECTED' AND (d.circuit_open_until IS NULL OR d.circuit_open_until <= now()) AND (
             (p.directory_requested_at <= now() AND p.directory_requested_at > coalesce(p.directory_synced_at, '-infinity'))
          OR (p.users_requested_at <= now() AND p.users_requested_at > coalesce(p.users_read_at, '-infinity'))
          OR ${ARE_FLOWS_ASKED}
          OR ${NEXT_UNENROLLMENT} <= now()
          OR ${NEXT_MADE_FLOW} <= now()
          OR ${NEXT_FLOW_ENTRY} <= now()
          OR (SELECT u.due_at FROM unenroll_setups u WHERE u.portal_id = p.portal_id) <= now()
          OR (s.paused_at IS NULL
              AND (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'QUEUED') <= now())
          OR (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'UNCERTAIN') <= now()
          OR (SELECT min(e.epoch) FROM executions e
               WHERE e.portal_id = p.portal_id AND e.state IN ('ATTEMPTING', 'UNCERTAIN') AND e.epoch IS NOT NULL) > 0
          OR (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'WATCHING') <= now()
          OR (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'DECIDED') <= now()
          OR ${areLooksDue("p.portal_id")})`,
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}

/**
 * Portals that cannot be called (disconnected, or with an open circuit) or are paused, and have something past its
 * time.
 */
export async function findOverduePortals(pool: Pool, looks = new OverdueLooks(pool)): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-uncallable-portals",
    text: `
      SELECT portal_id FROM portals p LEFT JOIN portal_drains d USING (portal_id)
         LEFT JOIN portal_settings s USING (portal_id)
       WHERE p.status <> 'CONNECTED' OR d.circuit_open_until > now() OR s.paused_at IS NOT NULL`,
  });
  return looks.among(rows.map(({ portal_id }) => BigInt(portal_id)));
}

/** Whether a turn would find an execution to attempt now. */
export async function hasQueuedWork(pool: Pool, portalId: PortalId): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: "has-queued-work",
    text: `
      SELECT FROM executions WHERE portal_id = $1 AND state = 'QUEUED' AND due_at <= now()
         AND NOT EXISTS (SELECT FROM portal_settings s WHERE s.portal_id = $1 AND s.paused_at IS NOT NULL)
       ORDER BY due_at, id LIMIT 1`,
    values: [portalId],
  });
  return rowCount !== 0;
}
