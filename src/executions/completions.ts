import { HOLD_HOURS } from "./hold.js";
import type { Ownership } from "./claim.js";
import { toOutputFields, type StoredOutcome } from "./outcome.js";

/** A completion HubSpot is owed. */
export interface OwedCompletion {
  readonly id: bigint;
  readonly callbackId: string;
  readonly outputFields: Record<string, string>;
  /** Times it was sent without an answer that settled it. */
  readonly tries: number;
  /** When HubSpot stops holding the callback; nobody waits for the completion after that. */
  readonly holdEndsAt: Date;
}

/** What came of sending a completion. */
export type CompletionResult =
  | {
      readonly id: bigint;
      readonly to: "COMPLETED" | "COMPLETION_ABANDONED";
      readonly problem?: string;
    }
  /** `tries` as read with the completion: where the row has another by now, HubSpot delivered the call meanwhile. */
  | {
      readonly id: bigint;
      readonly to: "COMPLETION_REFUSED";
      readonly tries: number;
      readonly problem?: string;
    }
  | { readonly id: bigint; readonly to: "DECIDED"; readonly delayMs: number; readonly problem: string };

/** Completions due now, oldest first. Reading claims nothing: the portal's one owner is the only sender. */
export async function readOwedCompletions(owner: Ownership, limit: number): Promise<OwedCompletion[]> {
  const { rows } = await owner.pool.query<
    StoredOutcome & { id: string; callback_id: string; completion_tries: number; hold_ends_at: Date }
  >({
    name: "read-owed-completions",
    text: `
      SELECT id, callback_id, completion_tries, execution_state, enrollment_status, error_code, error_message,
             enrollment_id, enrolled_at, sequence_id, sequence_name, sender_user_id, sender_email,
             accepted_at + $3 * interval '1 hour' AS hold_ends_at
        FROM executions
       WHERE portal_id = $1 AND state = 'DECIDED' AND due_at <= now()
       ORDER BY due_at, id LIMIT $2`,
    values: [owner.portalId, limit, HOLD_HOURS],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    callbackId: row.callback_id,
    outputFields: toOutputFields(row),
    tries: row.completion_tries,
    holdEndsAt: row.hold_ends_at,
  }));
}

/**
 * Writes what came of a batch of completions, in one statement under the lease. A refusal of what HubSpot delivered
 * again while the answer was on its way is out of date: HubSpot holds the callback now, and is still owed the completion.
 *
 * The state asked for comes with the rows, not as a constant: a constant lets the planner take the index of owed
 * completions, of which its statistics know nothing, and read all of them for each result (query-plans.test.ts).
 */
export async function writeCompletionResults(
  owner: Ownership,
  results: readonly CompletionResult[],
): Promise<number> {
  const { rowCount } = await owner.pool.query({
    name: "write-completion-results",
    text: `
      WITH ${owner.leaseCte}, result AS MATERIALIZED (
        SELECT *, 'DECIDED' AS from_state FROM unnest($3::bigint[], $4::text[], $5::float8[], $6::text[], $7::int[])
          AS row (id, to_state, delay_ms, problem, tries)
      )
      UPDATE executions e
         SET state = CASE WHEN r.tries <> e.completion_tries THEN 'DECIDED' ELSE r.to_state END,
             completion_tries = e.completion_tries + 1,
             due_at = now() + coalesce(r.delay_ms, 0) * interval '1 millisecond',
             completed_at = CASE WHEN r.to_state = 'COMPLETED' THEN now() END,
             last_problem = coalesce(r.problem, e.last_problem)
        FROM result r, lease
       WHERE e.portal_id = lease.portal_id AND e.id = r.id AND e.state = r.from_state`,
    values: [
      owner.portalId,
      owner.epoch,
      results.map(({ id }) => id),
      results.map(({ to }) => to),
      results.map((result) => (result.to === "DECIDED" ? result.delayMs : null)),
      results.map(({ problem }) => problem ?? null),
      results.map((result) => (result.to === "COMPLETION_REFUSED" ? result.tries : null)),
    ],
  });
  return rowCount ?? 0;
}
