import type { Pool } from "pg";

/** Longer than any regular gap between two checks or tries, so that only rows with a fault are this far ahead. */
const BEYOND = "20 minutes";
const MOST_OF_A_STATE = 100;

/** A portal's last rows by the partial index of their state, read from its end. */
const lastOf = (state: string): string => `
  (SELECT e.id, e.due_at, e.hold_ends_at FROM executions e WHERE e.portal_id = p.portal_id AND e.state = '${state}'
      AND e.due_at > now() + $1::interval ORDER BY e.due_at DESC, e.id DESC LIMIT ${MOST_OF_A_STATE})`;

const RECALL = `
  WITH stranded AS MATERIALIZED (
    SELECT p.portal_id, last.id FROM portals p, LATERAL (
      ${["QUEUED", "UNCERTAIN", "WATCHING", "DECIDED"].map(lastOf).join(" UNION ALL ")}
    ) AS last WHERE last.due_at > greatest(last.hold_ends_at, now()) + $1::interval
  ), locked AS MATERIALIZED (
    SELECT e.portal_id, e.id FROM executions e JOIN stranded USING (portal_id, id)
     ORDER BY e.portal_id, e.id FOR UPDATE OF e SKIP LOCKED
  )
  UPDATE executions e SET due_at = greatest(e.hold_ends_at, now())
    FROM locked WHERE e.portal_id = locked.portal_id AND e.id = locked.id`;

/**
 * Makes rows that are due only after HubSpot has released their contact due at that moment, or now if it has passed.
 * The sweeps look for due rows: without this, a far-off due time (a wrong clock, our own bug) would lose the row.
 *
 * @returns how many were recalled; at most a hundred per portal and state at a time.
 */
export async function recallStranded(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query({ name: "recall-stranded", text: RECALL, values: [BEYOND] });
  return rowCount ?? 0;
}
