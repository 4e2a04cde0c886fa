import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** A workflow that contacts can be put in, as far as we have read. */
export interface EnterableFlow {
  readonly flowId: string;
  readonly name: string | null;
  /** Our contact property is known to start it. */
  readonly isStamped: boolean;
}

const MOST_LISTED = 1_000;

/** Those that are on, by name. */
export async function listEnterableFlows(pool: Pool, portalId: PortalId): Promise<EnterableFlow[]> {
  const { rows } = await pool.query<{ flow_id: string; name: string | null; is_stamped: boolean }>({
    name: "list-enterable-flows",
    text: `
      SELECT f.flow_id, f.name,
             EXISTS (SELECT FROM made_flows m WHERE m.portal_id = f.portal_id AND m.flow_id = f.flow_id AND m.stamp IS NOT NULL) AS is_stamped
        FROM flows f WHERE f.portal_id = $1 AND f.is_listed AND f.is_enabled
       ORDER BY lower(f.name) COLLATE "C", f.flow_id LIMIT ${MOST_LISTED}`,
    values: [portalId],
  });
  return rows.map((row) => ({ flowId: row.flow_id, name: row.name, isStamped: row.is_stamped }));
}
