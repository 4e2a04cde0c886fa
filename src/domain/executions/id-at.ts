import type { Pool } from "pg";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/** Ids grow with acceptance, but transactions overlap: so a margin on either side of a moment is read. */
export const TIME_MARGIN_MS = 60_000;

/**
 * The first id accepted at or after a moment, by binary search over the ids: some thirty lookups in the primary key,
 * which need no extra index. Undefined if no moment is given.
 */
export async function idAt(
  pool: Pool,
  portalId: PortalId,
  at: Date | undefined,
): Promise<ExecutionId | undefined> {
  if (at === undefined) return undefined;
  const { rows } = await pool.query<{ id: string | null }>(
    `WITH RECURSIVE halving AS (
       SELECT (SELECT min(id) FROM executions WHERE portal_id = $1) AS low,
              (SELECT max(id) + 1 FROM executions WHERE portal_id = $1) AS high
       UNION ALL
       SELECT CASE WHEN probe.accepted_at < $2 THEN probe.id + 1 ELSE low END,
              CASE WHEN probe.accepted_at < $2 THEN high ELSE (low + high) / 2 END
         FROM halving LEFT JOIN LATERAL (
           SELECT id, accepted_at FROM executions
            WHERE portal_id = $1 AND id >= (low + high) / 2 AND id < high ORDER BY id LIMIT 1
         ) AS probe ON true
        WHERE low < high
     )
     SELECT low AS id FROM halving WHERE low >= high`,
    [portalId, at],
  );
  const id = rows[0]?.id ?? null;
  return id === null ? undefined : BigInt(id);
}
