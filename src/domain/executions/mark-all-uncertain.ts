import type { ExecutionState } from "#domain/contract/execution.js";
import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";

/** How much was marked. */
export interface MarkedUncertain {
  readonly portals: number;
  readonly enrollments: number;
}

/**
 * Marks every undecided enrollment UNCERTAIN. The restored database lacks whatever was written after the backup, so a
 * queued execution may have been sent, as early as at its acceptance. HubSpot is read before anything is sent, and its
 * answer is believed once it has had the time to show an enrollment.
 *
 * The epochs are raised in the same transaction, so that writes of earlier owners have no effect. Executions that wait
 * for their time, or for a sequence to end, are read first and then wait on. May be repeated.
 */
export function markAllUncertain(pool: Pool): Promise<MarkedUncertain> {
  return inTransaction(pool, async (client) => {
    const portals = await client.query(`UPDATE portal_drains SET epoch = epoch + 1, is_released = false`);
    const enrollments = await client.query(MARK_UNCERTAIN);
    return { portals: portals.rowCount ?? 0, enrollments: enrollments.rowCount ?? 0 };
  });
}

/** Not of the table: no execution moves so, unless what is known of it is taken back. */
export const RESTORE_MOVES = {
  QUEUED: ["UNCERTAIN"],
  ATTEMPTING: ["UNCERTAIN"],
  UNCERTAIN: ["UNCERTAIN"],
  WATCHING: ["UNCERTAIN"],
} as const satisfies Partial<Record<ExecutionState, readonly ExecutionState[]>>;

/**
 * At least one attempt, so that the next one never counts as the first. A queued row's sender is cleared: nobody knows
 * who it was sent as after the backup.
 */
const MARK_UNCERTAIN = `
  UPDATE executions
     SET state = 'UNCERTAIN', epoch = NULL, due_at = now(), attempts = greatest(attempts, 1),
         first_attempt_at = least(first_attempt_at, accepted_at), first_sent_at = NULL, doubted_at = NULL, outputs = NULL,
         sender_user_id = CASE WHEN state IN ('ATTEMPTING', 'UNCERTAIN') THEN sender_user_id END,
         sender_email = CASE WHEN state IN ('ATTEMPTING', 'UNCERTAIN') THEN sender_email END,
         last_problem = 'The database was brought back to an earlier moment'
   WHERE kind = 'ENROLL' AND state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN', 'WATCHING')`;
