import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { findFlows } from "./flow-names.js";

/** A workflow that called lately and whose name is known. */
export interface CallingFlow {
  /** The one of its two ids under which it called: executions are found by that. */
  readonly workflowId: string;
  readonly name: string;
}

/** The latest calls, in which calling workflows are found: reading them takes some milliseconds. */
const CALLS_LOOKED_AT = 2_000;

/** Workflows that called lately, by name; without those whose name is not known. */
export async function listCallingFlows(pool: Pool, portalId: PortalId): Promise<CallingFlow[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: "calling-workflows",
    text: `SELECT DISTINCT workflow_id AS id FROM (
             SELECT workflow_id FROM executions WHERE portal_id = $1 ORDER BY id DESC LIMIT $2
           ) AS latest WHERE workflow_id IS NOT NULL`,
    values: [portalId, CALLS_LOOKED_AT],
  });
  const flows = await findFlows(
    pool,
    portalId,
    rows.map(({ id }) => id),
  );
  return [...flows]
    .flatMap(([workflowId, { name }]) => (name === null ? [] : [{ workflowId, name }]))
    .sort((left, right) => left.name.localeCompare(right.name));
}
