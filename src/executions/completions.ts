import type { Ownership } from "./claim.js";
import type { RequestContext } from "./execution.js";
import { toOutputFields, type StoredAnswer } from "./outcome.js";

/** A decided execution whose end is still to be told, or only noted. */
export interface OwedCompletion {
  readonly id: bigint;
  /** False for an admin's retry: no workflow holds the contact for it, and HubSpot knows no such callback. */
  readonly isHeld: boolean;
  readonly callbackId: string;
  readonly outputFields: Record<string, string>;
  /** Of a call that came from no workflow. */
  readonly requestContext: RequestContext | undefined;
  /** Times it was sent without an answer that settled it. */
  readonly tries: number;
  /** When HubSpot stops holding the callback; nobody waits for the completion after that. */
  readonly holdEndsAt: Date;
}

/** What came of sending a completion. */
export type CompletionResult =
  | {
      readonly id: bigint;
      readonly to: "COMPLETED" | "COMPLETION_REFUSED" | "COMPLETION_ABANDONED";
      readonly problem?: string;
    }
  | { readonly id: bigint; readonly to: "DECIDED"; readonly delayMs: number; readonly problem: string };

/** Completions due now, oldest first; the sequence's name as HubSpot told it, or else our directory. Reading claims nothing: the portal's one owner is the only sender. */
export async function readOwedCompletions(owner: Ownership, limit: number): Promise<OwedCompletion[]> {
  const { rows } = await owner.pool.query<
    StoredAnswer & {
      id: string;
      callback_id: string;
      completion_tries: number;
      hold_ends_at: Date;
      is_held: boolean;
      request_context: RequestContext | null;
    }
  >({
    name: "read-owed-completions",
    text: `
      SELECT id, kind, callback_id, completion_tries, execution_state, enrollment_status, error_code, error_message,
             enrollment_id, enrolled_at, sequence_id, sender_user_id, sender_email, hold_ends_at, is_held, outputs,
             request -> 'requestContext' AS request_context,
             coalesce(sequence_name, (SELECT name FROM sequences s
                WHERE s.portal_id = executions.portal_id AND s.sequence_id = executions.sequence_id)) AS sequence_name
        FROM executions
       WHERE portal_id = $1 AND state = 'DECIDED' AND due_at <= now()
       ORDER BY due_at, id LIMIT $2`,
    values: [owner.portalId, limit],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    isHeld: row.is_held,
    callbackId: row.callback_id,
    outputFields: toOutputFields(row),
    requestContext: row.request_context ?? undefined,
    tries: row.completion_tries,
    holdEndsAt: row.hold_ends_at,
  }));
}

/**
 * HubSpot holds a callback once it has read our BLOCK, and refuses a completion that overtakes that answer. So a refusal
 * is final only when the completion has been owed for `finalAfter`, in which HubSpot has read our answer or given it up
 * and will deliver the call again (dossier §3.5). Until then it is sent again, at these ages: at most three times in all.
 */
const REFUSED_EARLY = { againAfter: "10 seconds", finalAfter: "60 seconds" };

/**
 * Writes what came of a batch of completions, in one statement under the lease, by id, as a call delivered again locks
 * the same rows. An early refusal leaves the completion
 * owed: HubSpot may not hold the callback yet.
 *
 * The state asked for comes with the rows, not as a constant: a constant lets the planner take the index of owed
 * completions, of which its statistics know nothing, and read all of them for each result (query-plans.test.ts).
 */
export async function writeCompletionResults(
  owner: Ownership,
  sent: readonly CompletionResult[],
): Promise<number> {
  const results = sent.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const { rowCount } = await owner.pool.query({
    name: "write-completion-results",
    text: `
      WITH ${owner.leaseCte}, result AS MATERIALIZED (
        SELECT *, 'DECIDED' AS from_state FROM unnest($3::bigint[], $4::text[], $5::float8[], $6::text[])
          AS row (id, to_state, delay_ms, problem)
      )
      UPDATE executions e
         SET state = CASE WHEN r.to_state = 'COMPLETION_REFUSED' AND e.decided_at + $8::interval > now() THEN 'DECIDED'
                          ELSE r.to_state END,
             completion_tries = e.completion_tries + 1,
             due_at = CASE WHEN r.to_state <> 'COMPLETION_REFUSED'
                           THEN now() + coalesce(r.delay_ms, 0) * interval '1 millisecond'
                           WHEN e.decided_at + $7::interval > now() THEN e.decided_at + $7::interval
                           ELSE greatest(now(), e.decided_at + $8::interval) END,
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
      REFUSED_EARLY.againAfter,
      REFUSED_EARLY.finalAfter,
    ],
  });
  return rowCount ?? 0;
}
