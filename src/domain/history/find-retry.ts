import type { ClientBase } from "pg";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/** The latest retry of the family that an execution belongs to. */
export async function findRetry(
  client: Pick<ClientBase, "query">,
  portalId: PortalId,
  id: ExecutionId,
): Promise<ExecutionId | undefined> {
  const { rows } = await client.query<{ id: string | null }>(
    `SELECT max(r.id) AS id FROM executions e
       JOIN executions r ON r.portal_id = e.portal_id AND r.retry_of = coalesce(e.retry_of, e.id)
      WHERE e.portal_id = $1 AND e.id = $2`,
    [portalId, id],
  );
  const [row] = rows;
  return row?.id == null ? undefined : BigInt(row.id);
}
