import type { Pool } from "pg";
import { AppError } from "../../../errors.js";

/** Another session holds the execution of a call that came again. HubSpot sends the call once more. */
export class ExecutionHeld extends AppError {
  override readonly code = "EXECUTION_HELD";
  override readonly status = 503;
  override readonly retryable = true;
}

/** What names a call. */
interface Call {
  readonly portalId: bigint;
  readonly callbackId: string;
}

/**
 * A commit that takes longer is given up with its connection: its callers were told 503 long before (web/actions/answer-time.ts),
 * and those who came after it must not wait for a server that is never heard of again.
 */
export const COMMIT_TIMEOUT = { query_timeout: 3_000 };

const TO_BE_REOPENED = `(e.state IN ('DECIDED', 'COMPLETION_REFUSED') OR (e.state = 'COMPLETED' AND e.completion_doubted_at IS NOT NULL))`;

/**
 * A redelivered call whose completion HubSpot had refused (it did not hold the callback then) is owed it again: HubSpot
 * will hold it now, because we answer BLOCK to this delivery too. The same if it counts as completed because the answer
 * to it was lost and HubSpot then refused it, and if that refusal is still on its way, or yet to
 * come: what is owed since a moment ago is not refused for good (completions.ts). What somebody else holds is passed over
 * and named: others' calls must not wait for it. A row that changed since this statement began is named too.
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
 * Which of the calls have a row. A statement of its own: calls of connected portals, which are nearly all, pay nothing for it.
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

/** Those of the calls that were stored before. Waits for nobody. */
export function findStored<C extends Call>(pool: Pool, calls: readonly C[]): Promise<Set<C>> {
  return pick(pool, calls, { name: "find-stored-calls", text: FIND_STORED });
}

/**
 * Makes the completions of calls that came again owed again, if HubSpot did not take them. Waits for nobody.
 *
 * @returns the calls whose rows somebody else holds: nothing was done for them.
 */
export function reopenCompletions<C extends Call>(pool: Pool, calls: readonly C[]): Promise<Set<C>> {
  return pick(pool, calls, { name: "reopen-refused-completions", text: REOPEN });
}
