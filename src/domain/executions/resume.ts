import type { Pool } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { inSequence, type Slices } from "./slices.js";

/** Rows made due in one statement: tens of milliseconds. */
const SLICE = 2_000;

const WAITS_FOR_SENDER = "state = 'QUEUED' AND sender_choice -> 'chosen' = 'null'::jsonb";
const QUEUED_FOR_HUBSPOT = "state = 'QUEUED' AND sender_choice -> 'chosen' IS DISTINCT FROM 'null'::jsonb";

/** The last row of a slice: everything before it is done. */
interface Cursor {
  readonly due_at: string;
  readonly id: string;
}

const START: Cursor = { due_at: "-infinity", id: "0" };

/**
 * Makes all executions due that wait in one state, slice by slice, in the order of the state's partial index. Rows that
 * someone else holds are skipped and keep their own time: waiting for them while holding others would cause deadlocks.
 *
 * @param condition on the columns of `executions`, beginning with the state; the portal is $1.
 */
function makeDue(pool: Pool, rows: { portalId: PortalId; condition: string }, after = START): Slices {
  const { portalId, condition } = rows;
  return async () => {
    const slice = await pool.query<Cursor>(
      `WITH slice AS (
         SELECT due_at, id FROM executions
          WHERE portal_id = $1 AND ${condition} AND due_at > now() AND (due_at, id) > ($3::timestamptz, $4::bigint)
          ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
       ), made_due AS (
         UPDATE executions SET due_at = now() WHERE portal_id = $1 AND id = ANY (ARRAY(SELECT id FROM slice))
       )
       SELECT due_at::text, id FROM slice ORDER BY due_at DESC, id DESC LIMIT 1`,
      [portalId, SLICE, after.due_at, after.id],
    );
    const [last] = slice.rows;
    return last && makeDue(pool, rows, last);
  };
}

/**
 * After a (re)connect: the circuit is closed, and what waited for the grant, or for HubSpot to recover, is due now.
 * Rows that an owner is reading now stay claimed: made due, they would be claimed a second time.
 *
 * Each state has its own statement and partial index: as a list they would read the portal's whole history.
 */
export function resumePortal(pool: Pool, portalId: PortalId): Slices {
  const waiting = [QUEUED_FOR_HUBSPOT, "state = 'UNCERTAIN' AND epoch IS NULL", "state = 'DECIDED'"];
  return inSequence([
    () => closeCircuit(pool, portalId),
    ...waiting.map((condition) => makeDue(pool, { portalId, condition })),
    wakeWaiters(pool, portalId),
  ]);
}

async function closeCircuit(pool: Pool, portalId: PortalId): Promise<undefined> {
  await pool.query(
    `UPDATE portal_drains SET circuit_open_until = NULL, circuit_opened_at = NULL, circuit_reason = NULL, circuit_cause = NULL, circuit_trips = 0,
            resumed_at = now()
      WHERE portal_id = $1`,
    [portalId],
  );
}

/** How many woken contacts look again each second: each costs a check, and most of them wait on. */
const WOKEN_A_SECOND = 20;

/**
 * After an admin changed who may send, or how much: contacts that wait for a sender look again, and take free places.
 * The first ones look at once, the others at a fixed rate in the order they wait in, so that a new contact does not
 * queue behind thousands that only wait on. No contact waits longer because of this.
 *
 * @param userId the sender whose settings changed: wakes only contacts that this sender was considered for.
 */
export function wakeWaiters(pool: Pool, portalId: PortalId, userId?: UserId): Slices {
  const considered = JSON.stringify(userId === undefined ? {} : { passedOver: [{ userId: String(userId) }] });
  const waiters = wakeAfter(pool, { portalId, considered, woken: 0, last: START });
  return async () => {
    await noteWake(pool, portalId);
    return waiters();
  };
}

/**
 * Before the waiters are looked for: a contact that is judged at this moment, by what applied before, is not among them
 * yet. Whoever writes that it waits finds this note, and has it look again (write-back.ts).
 */
async function noteWake(pool: Pool, portalId: PortalId): Promise<void> {
  await pool.query("UPDATE portal_drains SET waiters_woken_at = now() WHERE portal_id = $1", [portalId]);
}

interface Wake {
  readonly portalId: PortalId;
  /** What the stored choice of the affected contacts contains. */
  readonly considered: string;
  readonly woken: number;
  readonly last: Cursor;
}

function wakeAfter(pool: Pool, wake: Wake): Slices {
  const { portalId, considered, woken, last } = wake;
  return async () => {
    const values = [portalId, SLICE, considered, woken, WOKEN_A_SECOND, last.due_at, last.id];
    const { rows } = await pool.query<Cursor>(WAKE_SLICE, values);
    const end = rows.at(-1);
    if (end === undefined || rows.length < SLICE) return undefined;
    return wakeAfter(pool, { ...wake, woken: woken + rows.length, last: end });
  };
}

/** Continues after the last row of the previous slice, which was made due no later than before. */
const WAKE_SLICE = `
  WITH slice AS MATERIALIZED (
    SELECT id, due_at FROM executions
     WHERE portal_id = $1 AND ${WAITS_FOR_SENDER} AND due_at > now() AND sender_choice @> $3::jsonb
       AND (due_at, id) > ($6::timestamptz, $7::bigint)
     ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
  ), woken AS (
    SELECT id, now() + ($4 + row_number() OVER (ORDER BY due_at, id) - 1) / $5::int * interval '1 second' AS at FROM slice
  ), updated AS (
    UPDATE executions e SET due_at = least(e.due_at, woken.at) FROM woken WHERE e.portal_id = $1 AND e.id = woken.id
  )
  SELECT due_at::text, id FROM slice ORDER BY slice.due_at, id`;
