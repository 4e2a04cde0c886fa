import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** A workflow that HubSpot named to us, in a call or in its list. */
export interface NamedFlow {
  readonly flowId: string;
  /** Null: it has none. */
  readonly name: string | null;
  /** False: HubSpot no longer lists it. */
  readonly isListed: boolean;
}

/**
 * SQL: the workflow that a call's `workflowId` stands for, if we know it: one row or none. The only place that says so.
 * HubSpot does not say whether calls name flows by flow id or by their old number, so both are tried. A flow id counts
 * first; of several flows with the same old number, one that is still there. Columns: `flow_id`, `name`, `is_listed`.
 *
 * @param workflowId SQL of the call's id.
 * @param portalId SQL of the portal's id.
 */
export function flowOf(workflowId: string, portalId = "$1"): string {
  const columns = "flow_id, name, is_listed";
  return `
    SELECT ${columns} FROM (
      SELECT ${columns}, 0 AS place FROM flows WHERE portal_id = ${portalId} AND flow_id = ${workflowId}
      UNION ALL
      SELECT ${columns}, CASE WHEN is_listed THEN 1 ELSE 2 END FROM flows
       WHERE portal_id = ${portalId} AND workflow_id = ${workflowId}
    ) AS known ORDER BY place LIMIT 1`;
}

/** @returns the workflows by the ids asked for, without those that we do not know. */
export async function findFlows(
  pool: Pool,
  portalId: PortalId,
  workflowIds: readonly string[],
): Promise<ReadonlyMap<string, NamedFlow>> {
  if (workflowIds.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; flow_id: string; name: string | null; is_listed: boolean }>(
    {
      name: "find-flows",
      text: `SELECT asked.id, f.* FROM unnest($2::text[]) AS asked (id) CROSS JOIN LATERAL (${flowOf("asked.id")}) AS f`,
      values: [portalId, [...new Set(workflowIds)]],
    },
  );
  return new Map(
    rows.map((row) => [row.id, { flowId: row.flow_id, name: row.name, isListed: row.is_listed }]),
  );
}
