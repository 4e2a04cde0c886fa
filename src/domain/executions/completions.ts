import type { Pool } from "pg";
import type { Ownership } from "./claim.js";
import { ERASED_CONTACT, type RequestContext, type Moves } from "#domain/contract/execution.js";
import { toOutputFields, type StoredAnswer } from "#domain/contract/outcome.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { momentIn, sqlTimeLeftMs } from "./time-left.js";
import { FREE_ROWS, readUnwritten, type Unwritten } from "./unwritten.js";

/**
 * HubSpot holds a callback once it has read our BLOCK, and refuses a completion that arrives before that answer. So a
 * refusal is final only when the completion has been due for `finalAfter`: by then HubSpot has read our answer, or has
 * given up on it and will deliver the call again (docs/hubspot.md §3.5). Until then it is sent again at these ages, at
 * most three times in total; a completion that HubSpot may already have accepted is sent again only at the last of them.
 */
const REFUSED_EARLY = { againAfter: "10 seconds", finalAfter: "60 seconds" };
/** A completion younger than this is still early by the time its answer is here and written. */
const CERTAINLY_EARLY = "45 seconds";

/** A decided execution whose result still has to be reported, or only recorded. */
export interface OwedCompletion {
  readonly id: ExecutionId;
  /** False for an admin's retry: no workflow holds the contact for it, and HubSpot knows no such callback. */
  readonly isHeld: boolean;
  readonly callbackId: string;
  readonly outputFields: Record<string, string>;
  /** Set for a call that did not come from a workflow. */
  readonly requestContext: RequestContext | undefined;
  /** The trace of the call, if one is kept. */
  readonly traceparent?: string | undefined;
  /** Times it was sent without an answer that settled it. */
  readonly tries: number;
  /**
   * When HubSpot stops holding the callback, as a moment of this process's monotonic clock (time-left.ts); after that
   * nothing waits for the completion.
   */
  readonly holdEndsMs: number;
  /** Since when it is due, by the database's clock. */
  readonly decidedAt: Date;
  /** HubSpot may not have read our answer to the call yet, and so may not hold the callback yet. */
  readonly isEarly: boolean;
  /**
   * Set if the answer to an earlier send was lost: HubSpot may have accepted it. The same for completions that were in
   * the same lost requests, and in no others: HubSpot accepted all of them, or none.
   */
  readonly doubtedAt: Date | undefined;
}

/** The result of sending a completion. `isDoubted`: HubSpot may have accepted it, now or with an earlier request. */
export type CompletionResult =
  | {
      readonly id: ExecutionId;
      readonly to: "COMPLETED" | "COMPLETION_REFUSED" | "COMPLETION_ABANDONED";
      readonly problem?: string;
      readonly isDoubted?: boolean;
    }
  | {
      readonly id: ExecutionId;
      readonly to: "DECIDED";
      readonly delayMs: number;
      readonly problem: string;
      readonly isDoubted?: boolean;
      /**
       * Set if the answer to this request was lost: a number for the lost requests it was in before. Completions of one
       * request that have the same number stay together.
       */
      readonly lostWith?: number | undefined;
      /** No request was sent, so nothing is to be written: this does not count as a try. */
      readonly isUnasked?: boolean;
    };

/** How often each completion had been sent when it was read (OwedCompletion.tries), by id. */
export type TriesBefore = ReadonlyMap<ExecutionId, number>;

/**
 * Completions due now, oldest first; the sequence's name comes from HubSpot, or otherwise from our directory. Reading
 * claims nothing: the portal's one owner is the only sender.
 */
export async function readOwedCompletions(owner: Ownership, limit: number): Promise<OwedCompletion[]> {
  const { rows } = await owner.pool.query<
    StoredAnswer & {
      id: string;
      callback_id: string;
      completion_tries: number;
      hold_left_ms: number;
      is_held: boolean;
      decided_at: Date;
      is_early: boolean;
      completion_doubted_at: Date | null;
      request_context: RequestContext | null;
      traceparent: string | null;
    }
  >({
    name: "read-owed-completions",
    text: `
      SELECT id, kind, callback_id, completion_tries, execution_state, enrollment_status, error_code, error_message,
             enrollment_id, enrolled_at, sequence_id, sender_user_id, sender_email, ${sqlTimeLeftMs("hold_ends_at")} AS hold_left_ms, is_held, outputs,
             decided_at, decided_at + $3::interval > now() AS is_early, completion_doubted_at,
             request -> 'requestContext' AS request_context, request ->> 'traceparent' AS traceparent,
             coalesce(sequence_name, (SELECT name FROM sequences s
                WHERE s.portal_id = executions.portal_id AND s.sequence_id = executions.sequence_id)) AS sequence_name
        FROM executions
       WHERE portal_id = $1 AND state = 'DECIDED' AND due_at <= now()
       ORDER BY due_at, id LIMIT $2`,
    values: [owner.portalId, limit, CERTAINLY_EARLY],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    isHeld: row.is_held,
    callbackId: row.callback_id,
    outputFields: toOutputFields(row),
    requestContext: row.request_context ?? undefined,
    traceparent: row.traceparent ?? undefined,
    tries: row.completion_tries,
    holdEndsMs: momentIn(row.hold_left_ms),
    decidedAt: row.decided_at,
    isEarly: row.is_early,
    doubtedAt: row.completion_doubted_at ?? undefined,
  }));
}

/**
 * Writes the results of a batch of completions, in one statement under the lease, in order of ids, because a repeated
 * call locks the same rows. An early refusal leaves the completion due: HubSpot may not hold the callback yet. A later
 * refusal of a completion in doubt settles the doubt: HubSpot accepted it, or released the contact. It is then
 * COMPLETED and keeps the time of its doubt, which no other COMPLETED row has.
 *
 * The expected state comes with the rows, not as a constant. With a constant the planner may use the index of due
 * completions, which its statistics do not cover, and read all of them for each result (query-plans.test.ts).
 *
 * @param sentWith.latestDecidedAt the latest decision in the request: completions that were refused early are sent
 *   together again.
 * @param sentWith.triesBefore given if an earlier try to write may have taken effect: the tries of each as it was read.
 *   Leaves out rows that have more by now, and rows that someone else holds.
 * @returns how many rows moved.
 */
export async function writeCompletionResults(
  owner: Ownership,
  sent: readonly CompletionResult[],
  sentWith: { latestDecidedAt?: Date | undefined; triesBefore?: TriesBefore | undefined } = {},
): Promise<number> {
  const results = sent.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const { latestDecidedAt, triesBefore } = sentWith;
  const { rowCount } = await owner.pool.query({
    ...(triesBefore === undefined
      ? { name: "write-completion-results", text: WRITE_RESULTS(owner.leaseCte) }
      : { name: "write-completion-results-again", text: WRITE_RESULTS(owner.leaseCte, AGAIN) }),
    values: [
      owner.portalId,
      owner.epoch,
      results.map(({ id }) => id),
      results.map(({ to }) => to),
      results.map((result) => (result.to === "DECIDED" ? result.delayMs : null)),
      results.map(({ problem }) => problem ?? null),
      REFUSED_EARLY.againAfter,
      REFUSED_EARLY.finalAfter,
      results.map(({ isDoubted }) => isDoubted === true),
      latestDecidedAt ?? null,
      results.map((result) => (result.to === "DECIDED" ? (result.lostWith ?? null) : null)),
      ...(triesBefore === undefined ? [] : [results.map(({ id }) => triesBefore.get(id) ?? null)]),
    ],
  });
  return rowCount ?? 0;
}

/** Which results are still to be written: each write adds a try. */
export function readUnwrittenResults(
  owner: Ownership,
  results: readonly CompletionResult[],
  triesBefore: TriesBefore,
): Promise<Unwritten> {
  const rows = results.map(({ id }) => ({ id, asRead: triesBefore.get(id) ?? 0 }));
  return readUnwritten(owner, rows, `e.state = 'DECIDED' AND e.completion_tries = row.as_read::int`);
}

const IS_DOUBTED = `(r.is_doubted OR e.completion_doubted_at IS NOT NULL)`;
const IS_REFUSED = `r.to_state = 'COMPLETION_REFUSED'`;
const IS_EARLY = `e.decided_at + $8::interval > now()`;
const SETTLES_DOUBT = `${IS_REFUSED} AND NOT (${IS_EARLY}) AND ${IS_DOUBTED}`;
/** Completions decided within a few seconds and refused early become due at the same moment. */
const DECIDED_TOGETHER = `greatest(e.decided_at, $10::timestamptz)`;

export const COMPLETION_MOVES = {
  DECIDED: ["DECIDED", "COMPLETED", "COMPLETION_REFUSED", "COMPLETION_ABANDONED"],
} as const satisfies Moves;

const WRITE_RESULTS = (leaseCte: string, again = ""): string => `
  WITH ${leaseCte}, result AS MATERIALIZED (
    SELECT *, 'DECIDED' AS from_state FROM unnest($3::bigint[], $4::text[], $5::float8[], $6::text[], $9::boolean[], $11::int[])
      AS row (id, to_state, delay_ms, problem, is_doubted, lost_with)
  )
  UPDATE executions e
     SET state = CASE WHEN ${IS_REFUSED} AND ${IS_EARLY} THEN 'DECIDED'
                      WHEN ${SETTLES_DOUBT} THEN 'COMPLETED' ELSE r.to_state END,
         completion_tries = e.completion_tries + 1,
         completion_doubted_at = CASE WHEN r.to_state = 'COMPLETED' THEN NULL
                                      WHEN r.lost_with IS NOT NULL THEN now() + r.lost_with * interval '1 millisecond'
                                      WHEN r.is_doubted THEN coalesce(e.completion_doubted_at, now())
                                      ELSE e.completion_doubted_at END,
         due_at = CASE WHEN NOT (${IS_REFUSED})
                       THEN least(now() + coalesce(r.delay_ms, 0) * interval '1 millisecond', greatest(e.hold_ends_at, now()))
                       WHEN e.decided_at + $7::interval > now() AND NOT ${IS_DOUBTED}
                       THEN ${DECIDED_TOGETHER} + $7::interval
                       ELSE greatest(now(), ${DECIDED_TOGETHER} + $8::interval) END,
         completed_at = CASE WHEN r.to_state = 'COMPLETED' OR ${SETTLES_DOUBT} THEN now() END,
         completion_problem = CASE WHEN e.contact_id <> '${ERASED_CONTACT}' THEN coalesce(r.problem, e.completion_problem) END
    FROM result r, lease
   WHERE e.portal_id = lease.portal_id AND e.id = r.id AND e.state = r.from_state
         ${again}`;

const AGAIN = `AND (e.id, e.completion_tries) IN (SELECT * FROM unnest($3::bigint[], $12::int[])) ${FREE_ROWS}`;

/** Completions that HubSpot refused for good although it should still have held the contact. */
export async function readCutShort(
  pool: Pool,
  portalId: PortalId,
  ids: readonly ExecutionId[],
): Promise<{ holds: number; leastHours: number }> {
  const { rows } = await pool.query<{ holds: number; least_hours: number | null }>({
    name: "read-cut-short-holds",
    text: `SELECT count(*)::int AS holds, round(extract(epoch FROM min(now() - accepted_at)) / 3600)::int AS least_hours
             FROM executions
            WHERE portal_id = $1 AND id = ANY ($2::bigint[]) AND is_held AND state = 'COMPLETION_REFUSED' AND hold_ends_at > now()`,
    values: [portalId, ids],
  });
  return { holds: rows[0]?.holds ?? 0, leastHours: rows[0]?.least_hours ?? 0 };
}

/** A dead owner had one batch of a hundred in flight. Executions that became due since may sort before some of it. */
const MOST_UNDER_WAY = 1_000;

/**
 * After a crash: the completions that were due first may have been sent without a stored answer. Called by the new
 * owner before it sends anything. Each row gets a moment of its own: they need not have been sent together, and
 * HubSpot's answer to one says nothing about another (worker/completions/isolate-refused.ts). Rows are locked in order of
 * ids, as everywhere. The state comes from a sub-select: with a constant the planner may read the whole index of due
 * completions.
 */
export async function doubtCompletions(owner: Ownership): Promise<void> {
  await owner.pool.query({
    name: "doubt-completions",
    text: `
      WITH ${owner.leaseCte}, due AS MATERIALIZED (
        SELECT id FROM executions WHERE portal_id = $1 AND state = 'DECIDED' AND due_at <= now() ORDER BY due_at, id LIMIT $3
      ), locked AS MATERIALIZED (
        SELECT id FROM executions WHERE portal_id = $1 AND id = ANY (ARRAY(SELECT id FROM due)) ORDER BY id FOR UPDATE
      ), apart AS MATERIALIZED (
        SELECT id, now() - row_number() OVER () * interval '1 millisecond' AS at FROM locked
      )
      UPDATE executions e SET completion_doubted_at = coalesce(e.completion_doubted_at, apart.at)
        FROM lease, apart WHERE e.portal_id = lease.portal_id AND e.id = apart.id AND e.id = ANY (ARRAY(SELECT id FROM locked))
         AND e.state = (SELECT 'DECIDED')`,
    values: [owner.portalId, owner.epoch, MOST_UNDER_WAY],
  });
}
