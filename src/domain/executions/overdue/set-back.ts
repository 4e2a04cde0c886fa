import type { Pool } from "pg";

/** Rows of one portal and state that are moved in one statement: tens of milliseconds. */
const MOST_OF_A_STATE = 2_000;

/** A portal's rows that are due within the time by which the clock was set back, by the partial index of their state. */
const dueWithin = (state: string): string => `
  (SELECT e.id FROM executions e WHERE e.portal_id = p.portal_id AND e.state = '${state}'
      AND e.due_at > now() AND e.due_at <= now() + $1::float8 * interval '1 millisecond'
    ORDER BY e.due_at, e.id LIMIT ${MOST_OF_A_STATE})`;

const RECALL = `
  WITH ahead AS MATERIALIZED (
    SELECT p.portal_id, row.id FROM portals p, LATERAL (
      ${["QUEUED", "UNCERTAIN", "WATCHING", "DECIDED"].map(dueWithin).join(" UNION ALL ")}
    ) AS row
  ), locked AS MATERIALIZED (
    SELECT e.portal_id, e.id FROM executions e JOIN ahead USING (portal_id, id)
     WHERE e.state <> 'UNCERTAIN' OR e.epoch IS NULL
     ORDER BY e.portal_id, e.id FOR UPDATE OF e SKIP LOCKED
  )
  UPDATE executions e SET due_at = now() FROM locked WHERE e.portal_id = locked.portal_id AND e.id = locked.id`;

const RESUME = `
  UPDATE portal_drains SET circuit_open_until = now()
   WHERE circuit_open_until > now() AND circuit_open_until <= now() + $1::float8 * interval '1 millisecond'`;

/** A backlog that came just before is recalled whole; the bound only guards against our own fault. */
const MOST_STEPS = 100;

/**
 * After the database's clock was set back: what was due by the old time would wait for as long as that, and so would a
 * contact that had just come. All that is due within that time is looked at now, instead; whatever has another reason
 * to wait is told so again, and waits on. A row that an owner is reading stays claimed, and one that someone else holds
 * is due at its time.
 *
 * @returns how many were recalled.
 */
export async function recallSetBack(pool: Pool, setBackMs: number): Promise<number> {
  await pool.query(RESUME, [setBackMs]);
  let recalled = 0;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { rowCount } = await pool.query({ name: "recall-set-back", text: RECALL, values: [setBackMs] });
    if (rowCount === null || rowCount === 0) break;
    recalled += rowCount;
  }
  return recalled;
}
