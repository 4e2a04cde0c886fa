import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";

/** What was turned into doubt. */
export interface MarkedUncertain {
  readonly portals: number;
  readonly enrollments: number;
}

/**
 * Turns every enrollment that is not decided into doubt: the database lacks what was written after the moment it was brought
 * back to, so that what it calls queued may have been sent, as early as at its acceptance. HubSpot is read before
 * anything is sent, and believed when it has had the time to show it.
 *
 * The epochs are raised in the same transaction: what an owner from before still writes is void. Those who wait for their
 * time, or for a sequence to end, are read first and then wait on. May be repeated.
 */
export function markAllUncertain(pool: Pool): Promise<MarkedUncertain> {
  return inTransaction(pool, async (client) => {
    const portals = await client.query(`UPDATE portal_drains SET epoch = epoch + 1, is_released = false`);
    const enrollments = await client.query(MARK_UNCERTAIN);
    return { portals: portals.rowCount ?? 0, enrollments: enrollments.rowCount ?? 0 };
  });
}

/**
 * One attempt at least: the next one is never taken for the first. Whom a queued one waited for is not whom it was sent as
 * since: that nobody knows.
 */
const MARK_UNCERTAIN = `
  UPDATE executions
     SET state = 'UNCERTAIN', epoch = NULL, due_at = now(), attempts = greatest(attempts, 1),
         first_attempt_at = least(first_attempt_at, accepted_at), first_sent_at = NULL, doubted_at = NULL, outputs = NULL,
         sender_user_id = CASE WHEN state IN ('ATTEMPTING', 'UNCERTAIN') THEN sender_user_id END,
         sender_email = CASE WHEN state IN ('ATTEMPTING', 'UNCERTAIN') THEN sender_email END,
         last_problem = 'The database was brought back to an earlier moment'
   WHERE kind = 'ENROLL' AND state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN', 'WATCHING')`;
