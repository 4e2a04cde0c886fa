import type { Pool } from "pg";

/** Portals with something to do now. Wakes are only hints: this is what finds timers that ran out and wakes that got lost. */
export async function findDuePortals(pool: Pool): Promise<bigint[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-due-portals",
    text: `
      SELECT p.portal_id FROM portals p
       WHERE (p.status = 'CONNECTED' AND (
           p.directory_requested_at > coalesce(p.directory_synced_at, '-infinity')
           OR EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN')
                       AND e.due_at <= now())
           OR EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'DECIDED' AND e.due_at <= now())))
          OR (p.status <> 'CONNECTED' AND (
           EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN')
                       AND e.deadline_at <= now())
           OR EXISTS (SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'DECIDED' AND e.deadline_at <= now())))`,
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}

/** Runs the sweep every `intervalMs` until the returned function is called. */
export function startSweep(options: {
  pool: Pool;
  intervalMs: number;
  wake: (portalId: bigint) => void;
  onFault: (fault: unknown) => void;
}): () => void {
  let isRunning = false;
  const sweep = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    try {
      (await findDuePortals(options.pool)).forEach(options.wake);
    } catch (fault) {
      options.onFault(fault);
    } finally {
      isRunning = false;
    }
  };
  const timer = setInterval(() => void sweep(), options.intervalMs);
  return () => {
    clearInterval(timer);
  };
}
