import type { Pool } from "pg";
import { ELIGIBLE, type AdminAction } from "./admin-actions.js";
import { filterCondition, type ExecutionFilter } from "#domain/contract/execution-filter.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** How many executions an action would change now. */
export interface BulkPreview {
  readonly matching: number;
  /** Set if not all were counted: only executions accepted since then were. */
  readonly countedTo: Date | undefined;
}

/** The most rows to count; the job itself goes on to the end. */
const LOOK_BACK = 25_000;

export async function previewBulk(
  pool: Pool,
  portalId: PortalId,
  { action, filter }: { action: AdminAction; filter: ExecutionFilter },
): Promise<BulkPreview> {
  const values: unknown[] = [portalId, LOOK_BACK];
  const condition = filterCondition(filter, values);
  const { rows } = await pool.query<{ matching: number; looked_at: number; oldest: Date | null }>(
    `SELECT count(*) FILTER (WHERE ${condition} AND ${ELIGIBLE[action]})::int AS matching, count(*)::int AS looked_at,
            min(accepted_at) AS oldest
       FROM (SELECT * FROM executions WHERE portal_id = $1 ORDER BY id DESC LIMIT $2) AS newest`,
    values,
  );
  const { matching = 0, looked_at = 0, oldest = null } = rows[0] ?? {};
  const isAll =
    looked_at < LOOK_BACK ||
    (filter.since !== undefined && oldest !== null && oldest.getTime() < Date.parse(filter.since));
  return { matching, countedTo: isAll || oldest === null ? undefined : oldest };
}
