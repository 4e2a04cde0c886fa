import type { Moves } from "#domain/contract/execution.js";
import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { AppError } from "../../../errors.js";

/** Another session holds the execution of a repeated call. HubSpot sends the call again. */
export class ExecutionHeld extends AppError {
  override readonly code = "EXECUTION_HELD";
  override readonly status = 503;
  override readonly retryable = true;
}

/** Identifies a call. */
interface Call {
  readonly portalId: PortalId;
  readonly callbackId: string;
}

/**
 * A commit that takes longer is abandoned with its connection: its callers got 503 long before
 * (web/actions/answer-time.ts), and later calls must not wait for a server that does not answer.
 */
export const COMMIT_TIMEOUT = { query_timeout: 3_000 };

const TO_BE_REOPENED = `(e.state IN ('DECIDED', 'COMPLETION_REFUSED') OR (e.state = 'COMPLETED' AND e.completion_doubted_at IS NOT NULL))`;

export const REOPENING_MOVES = {
  DECIDED: ["DECIDED"],
  COMPLETED: ["DECIDED"],
  COMPLETION_REFUSED: ["DECIDED"],
} as const satisfies Moves;

/**
 * If HubSpot refused the completion of a call (it did not hold the callback then) and delivers the call again, the
 * completion is due again: HubSpot will hold the callback now, because we answer BLOCK to this delivery too. The same
 * applies if it counts as completed because the answer to it was lost and HubSpot then refused it, and if that refusal
 * is still to come: a completion that is due since a moment ago is not refused for good (completions.ts). Rows that
 * another session holds are skipped and returned: other calls must not wait for them. So is a row that changed since
 * this statement began.
 */
const REOPEN = `
  WITH repeated AS MATERIALIZED (
    SELECT call.position, e.portal_id, e.id
      FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS call (portal_id, callback_id, position)
      JOIN executions e USING (portal_id, callback_id)
     WHERE ${TO_BE_REOPENED}
  ), free AS MATERIALIZED (
    SELECT e.portal_id, e.id FROM executions e
     WHERE (e.portal_id, e.callback_id) IN (SELECT * FROM unnest($1::bigint[], $2::text[])) AND ${TO_BE_REOPENED}
       FOR UPDATE SKIP LOCKED
  ), reopened AS (
    UPDATE executions e
       SET state = 'DECIDED', decided_at = now(), completed_at = NULL, due_at = CASE WHEN e.state = 'DECIDED' THEN e.due_at ELSE now() END
      FROM free WHERE e.portal_id = free.portal_id AND e.id = free.id
  )
  SELECT position FROM repeated WHERE NOT EXISTS (SELECT FROM free WHERE free.id = repeated.id)`;

/**
 * Which of the calls have a row. A separate statement, so that calls of connected portals, which are nearly all, cost
 * nothing extra.
 */
const FIND_STORED = `
  SELECT call.position FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS call (portal_id, callback_id, position)
    JOIN executions USING (portal_id, callback_id)`;

async function pick<C extends Call>(
  pool: Pool,
  calls: readonly C[],
  statement: { name: string; text: string },
): Promise<Set<C>> {
  const { rows } = await pool.query<{ position: string }>({
    ...COMMIT_TIMEOUT,
    ...statement,
    values: [calls.map(({ portalId }) => portalId), calls.map(({ callbackId }) => callbackId)],
  });
  return new Set(rows.map(({ position }) => calls[Number(position) - 1] as C));
}

/** Those of the calls that were stored before. Waits for no lock. */
export function findStored<C extends Call>(pool: Pool, calls: readonly C[]): Promise<Set<C>> {
  return pick(pool, calls, { name: "find-stored-calls", text: FIND_STORED });
}

/**
 * Makes the completions of repeated calls due again, if HubSpot did not accept them. Waits for no lock.
 *
 * @returns the calls whose rows another session holds: nothing was done for them.
 */
export function reopenCompletions<C extends Call>(pool: Pool, calls: readonly C[]): Promise<Set<C>> {
  return pick(pool, calls, { name: "reopen-refused-completions", text: REOPEN });
}
