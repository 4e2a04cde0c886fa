import type { Pool } from "pg";

/** Rows made due in one statement: tens of milliseconds. */
const SLICE = 2_000;

/**
 * Makes all executions due that wait in one state, slice by slice. What somebody else holds at this moment is passed over
 * and keeps its own time: waiting for it while holding others is how deadlocks begin. The order is that of the state's
 * partial index, whose rows leave the slice's condition as they are made due.
 *
 * @param condition on the columns of `executions`, beginning with the state; the portal is $1.
 */
async function makeDue(pool: Pool, portalId: bigint, condition: string): Promise<void> {
  for (let made = SLICE; made === SLICE;) {
    const { rowCount } = await pool.query(
      `WITH slice AS (
         SELECT id FROM executions
          WHERE portal_id = $1 AND ${condition} AND due_at > now()
          ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
       )
       UPDATE executions SET due_at = now() WHERE portal_id = $1 AND id = ANY (ARRAY(SELECT id FROM slice))`,
      [portalId, SLICE],
    );
    made = rowCount ?? 0;
  }
}

/**
 * After a (re)connect: what waited for the grant, or for HubSpot to recover, is due now, and the circuit is closed.
 * What an owner is reading this moment stays its own: made due, it would be claimed a second time.
 *
 * The states stand one by one, each with its partial index: as a list they would have all of the portal's history read.
 */
export async function resumePortal(pool: Pool, portalId: bigint): Promise<void> {
  for (const condition of ["state = 'QUEUED'", "state = 'UNCERTAIN' AND epoch IS NULL", "state = 'DECIDED'"])
    await makeDue(pool, portalId, condition);
  await pool.query(
    `UPDATE portal_drains SET circuit_open_until = NULL, circuit_opened_at = NULL, circuit_reason = NULL, circuit_trips = 0,
            resumed_at = now()
      WHERE portal_id = $1`,
    [portalId],
  );
}

/**
 * After an admin changed who may send, or how much: contacts that wait for a sender look again now, and take new places
 * where there are none yet.
 */
export async function wakeWaiters(pool: Pool, portalId: bigint): Promise<void> {
  await makeDue(pool, portalId, "state = 'QUEUED' AND sender_choice -> 'chosen' = 'null'::jsonb");
}
