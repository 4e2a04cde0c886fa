import { IS_FIRST_ATTEMPT, type Ownership } from "./claim.js";
import {
  ERASED_CONTACT,
  isLegalMove,
  LANES,
  type ExecutionState,
  type Moves,
} from "#domain/contract/execution.js";
import { IS_IN_DOUBT } from "./endings/in-doubt.js";
import { leftInNone } from "./endings/left-in-none.js";
import { DECIDED_CHANNEL } from "./outcome-watch.js";
import type { Outcome } from "#domain/contract/outcome.js";
import { tellOutcomes, TOLD_COLUMNS } from "#domain/subscriptions/tell.js";
import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";
import { FREE_ROWS, readUnwritten, type Unwritten } from "./unwritten.js";

/** An owner's result for an execution it had claimed. */
export type Result =
  | { readonly to: "DECIDED"; readonly outcome: Outcome; readonly senderChoice?: object | undefined }
  /** Nothing was attempted: the claim is undone until a sender is free or the contact's time has come. */
  | {
      readonly to: "QUEUED";
      readonly isWait: true;
      readonly delayMs: number;
      readonly problem: string;
      /** The sender to wait for. */
      readonly forUserId?: UserId | undefined;
      readonly senderChoice?: object | undefined;
      /** When what applies in the account was read, by which it waits for a sender: the database's time. */
      readonly policyReadAt?: Date;
    }
  /** Waits for the contact's sequence to end; checked */
  | { readonly to: "WATCHING"; readonly delayMs: number; readonly problem?: string | undefined }
  /**
   * Try again in `delayMs`; `to` says whether HubSpot has to be read first; a crash is the app's own failure. Once
   * HubSpot has answered, the gaps after faults start short again.
   */
  | {
      readonly to: "QUEUED" | "UNCERTAIN";
      readonly delayMs: number;
      readonly problem?: string | undefined;
      readonly isCrash?: boolean;
      readonly isAnswered?: boolean;
      readonly isWait?: never;
    };

/** A retry after a shorter gap is a hiccup: it is not a wait, and the contact's data from the call still counts. */
const LONG_RETRY_MS = 60_000;

function toJson(outputs: Outcome["outputs"]): string | undefined {
  return outputs === undefined ? undefined : JSON.stringify(outputs);
}

export interface Finding {
  readonly id: ExecutionId;
  readonly from: ExecutionState;
  /** From the row as it was claimed; left out if a merge in between does not matter. */
  readonly contactId?: string;
  readonly result: Result;
}

/** SQL: the request in doubt certainly had no effect; no sender used it. */
const IS_OUT_OF_DOUBT = `(f.from_state = 'UNCERTAIN' AND f.to_state = 'QUEUED')`;

/**
 * SQL: HubSpot reported a merge while the attempt was under way, and nobody was enrolled. The result is about a contact
 * that is gone: the one it was merged into is attempted next.
 */
const IS_MERGED = `(f.from_state = 'ATTEMPTING' AND f.to_state = 'DECIDED' AND f.enrollment_status IS DISTINCT FROM 'ENROLLED'
  AND e.contact_id NOT IN (coalesce(f.contact_id, e.contact_id), '${ERASED_CONTACT}'))`;

/** SQL: a value of the outcome, unless it is about another contact. */
const unlessMerged = (value: string): string => `CASE WHEN NOT ${IS_MERGED} THEN ${value} END`;

const OUTCOME = leftInNone({
  status: "f.enrollment_status",
  code: "f.error_code",
  message: "f.error_message",
});

export const FINDING_MOVES = {
  ATTEMPTING: ["QUEUED", "UNCERTAIN", "WATCHING", "DECIDED"],
  UNCERTAIN: ["UNCERTAIN", "QUEUED", "DECIDED"],
} as const satisfies Moves;

/**
 * Only consecutive crashes count: a completed attempt resets the count. A reading does not reset it: otherwise an
 * execution whose every attempt crashes, with a reading after each, would continue forever.
 *
 * A doubt begins with the attempt that ends in it, by HubSpot's clock; if that was not known, with the first reading.
 *
 * A retry's first attempt is its family's, which is older than the retry: no wait clears it.
 *
 * An enrollment time days ahead would count against its sender's cap until then: HubSpot's clock is never that wrong.
 *
 * HubSpot's messages and the results may concern a contact that was erased while its request was under way: they are
 * dropped.
 *
 * An admin may have changed who may send since the policy was read by which a contact is to wait for a sender: it looks
 * again at once, or it would miss the change until its time has come.
 */
const UPDATE = (leaseCte: string, free = ""): string => `
  WITH ${leaseCte}, finding AS (
    SELECT * FROM unnest(
      $3::bigint[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
      $12::text[], $13::timestamptz[], $14::text[], $15::bigint[], $16::text[], $17::boolean[], $18::boolean[], $19::jsonb[],
      $20::jsonb[], $22::text[], $23::boolean[], $24::timestamptz[]
    ) AS row (
      id, from_state, to_state, delay_ms, problem, execution_state, enrollment_status, error_code, error_message,
      enrollment_id, enrolled_at, sequence_name, sender_user_id, sender_email, is_crash, is_wait, sender_choice, outputs, contact_id, is_answered, policy_read_at)
  ), written AS (
  UPDATE executions e
     SET state = CASE WHEN ${IS_MERGED} THEN 'QUEUED' ELSE f.to_state END,
         epoch = CASE WHEN f.to_state IN ('UNCERTAIN', 'WATCHING') THEN NULL ELSE e.epoch END,
         due_at = CASE WHEN f.is_wait AND lease.waiters_woken_at >= f.policy_read_at THEN now()
                       WHEN e.deadline_at > now()
                       THEN least(now() + f.delay_ms * interval '1 millisecond', e.deadline_at)
                       ELSE now() + f.delay_ms * interval '1 millisecond' END,
         has_waited = e.has_waited OR f.is_wait OR f.to_state = 'WATCHING' OR f.delay_ms >= ${LONG_RETRY_MS},
         retries = CASE WHEN f.is_answered THEN 0 WHEN f.delay_ms > 0 AND NOT f.is_wait AND f.to_state <> 'WATCHING' THEN e.retries + 1 ELSE e.retries END,
         attempts = e.attempts - CASE WHEN f.is_wait THEN 1 ELSE 0 END,
         first_attempt_at = CASE WHEN f.is_wait AND ${IS_FIRST_ATTEMPT} THEN NULL ELSE e.first_attempt_at END,
         first_sent_at = CASE WHEN f.is_wait AND ${IS_FIRST_ATTEMPT} THEN NULL ELSE e.first_sent_at END,
         doubted_at = CASE WHEN f.to_state <> 'UNCERTAIN' THEN e.doubted_at
                           WHEN f.from_state = 'ATTEMPTING' THEN $21::timestamptz
                           ELSE coalesce(e.doubted_at, $21::timestamptz) END,
         ended_in_doubt = f.to_state = 'DECIDED' AND f.enrollment_status <> 'ENROLLED' AND ${IS_IN_DOUBT("e.")},
         crashes = CASE WHEN f.is_crash THEN e.crashes + 1
                        WHEN f.from_state = 'ATTEMPTING' AND f.to_state <> 'DECIDED' THEN 0 ELSE e.crashes END,
         last_problem = CASE WHEN e.contact_id <> '${ERASED_CONTACT}' THEN coalesce(f.problem, e.last_problem) END,
         execution_state = ${unlessMerged("f.execution_state")},
         enrollment_status = ${unlessMerged("CASE WHEN e.kind = 'ENROLL' THEN f.enrollment_status END")},
         error_code = ${unlessMerged(OUTCOME.code)},
         error_message = ${unlessMerged(`CASE WHEN e.contact_id <> '${ERASED_CONTACT}' THEN ${OUTCOME.message} END`)},
         enrollment_id = f.enrollment_id,
         enrolled_at = CASE WHEN f.enrollment_status = 'ENROLLED' AND (f.enrolled_at IS NULL OR f.enrolled_at > now() + interval '1 day')
                            THEN now() ELSE f.enrolled_at END,
         outputs = ${unlessMerged(`CASE WHEN e.contact_id <> '${ERASED_CONTACT}' THEN f.outputs END`)},
         sequence_name = coalesce(f.sequence_name, e.sequence_name),
         sender_user_id = CASE WHEN NOT ${IS_OUT_OF_DOUBT} THEN coalesce(f.sender_user_id, e.sender_user_id) END,
         sender_email = CASE WHEN NOT ${IS_OUT_OF_DOUBT} THEN coalesce(f.sender_email, e.sender_email) END,
         sender_choice = CASE WHEN e.contact_id <> '${ERASED_CONTACT}' THEN coalesce(f.sender_choice, e.sender_choice) END,
         decided_at = ${unlessMerged("CASE WHEN f.to_state = 'DECIDED' THEN now() END")}
    FROM finding f, lease
   WHERE e.portal_id = lease.portal_id AND e.id = f.id AND e.state = f.from_state AND e.epoch = lease.epoch
         ${free}
  RETURNING ${TOLD_COLUMNS}, e.lane
  ), ${tellOutcomes("written")}
  SELECT id, ${sayDecided} FROM written`;

/**
 * SQL: notifies whoever waits for single calls of the API once the result is committed. Other executions cost nothing.
 */
const sayDecided = `CASE WHEN lane = ${LANES.call} AND enrollment_status IS NOT NULL THEN pg_notify('${DECIDED_CHANNEL}', '') END`;

function senderOf(result: Result): UserId | undefined {
  if (result.to === "DECIDED") return result.outcome.sender?.userId;
  return "forUserId" in result ? result.forUserId : undefined;
}

function choiceOf(result: Result): string | undefined {
  const choice = "senderChoice" in result ? result.senderChoice : undefined;
  return choice && JSON.stringify(choice);
}

/**
 * Writes a batch of findings in one statement, in order of ids, as every statement that locks several rows does. Each
 * names the state it moves from and the owner's epoch.
 *
 * @param options.isAgain an earlier try may have taken effect: leaves out rows that someone else holds.
 * @returns how many rows moved. Fewer than given means the portal has a new owner, unless it is a further try
 * (readUnwrittenFindings).
 */
export async function writeFindings(
  owner: Ownership,
  found: readonly Finding[],
  { isAgain = false } = {},
): Promise<number> {
  const findings = found.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const illegal = findings.find(({ from, result }) => !isLegalMove(from, result.to));
  if (illegal !== undefined)
    throw new Error(`illegal move of an execution: ${illegal.from} to ${illegal.result.to}`);
  const outcome = ({ result }: Finding): Partial<Outcome> => (result.to === "DECIDED" ? result.outcome : {});
  const column = (value: (finding: Finding) => unknown) => findings.map((finding) => value(finding) ?? null);
  const { rowCount } = await owner.pool.query({
    ...(isAgain
      ? { name: "write-findings-again", text: UPDATE(owner.leaseCte, FREE_ROWS) }
      : { name: "write-findings", text: UPDATE(owner.leaseCte) }),
    values: [
      owner.portalId,
      owner.epoch,
      column(({ id }) => id),
      column(({ from }) => from),
      column(({ result }) => result.to),
      column(({ result }) => (result.to === "DECIDED" ? 0 : result.delayMs)),
      column(({ result }) => ("problem" in result ? result.problem : undefined)),
      column((finding) => outcome(finding).executionState),
      column((finding) => outcome(finding).enrollmentStatus),
      column((finding) => outcome(finding).errorCode),
      column((finding) => outcome(finding).errorMessage),
      column((finding) => outcome(finding).enrollmentId),
      column((finding) => outcome(finding).enrolledAt),
      column((finding) => outcome(finding).sequenceName),
      column(({ result }) => senderOf(result)),
      column((finding) => outcome(finding).sender?.email),
      column(({ result }) => "isCrash" in result && result.isCrash === true),
      column(({ result }) => "isWait" in result && result.isWait === true),
      column(({ result }) => choiceOf(result)),
      column((finding) => toJson(outcome(finding).outputs)),
      owner.hubspotNow?.() ?? null,
      column(({ contactId }) => contactId),
      column(({ result }) => "isAnswered" in result && result.isAnswered === true),
      column(({ result }) => ("policyReadAt" in result ? result.policyReadAt : undefined)),
    ],
  });
  return rowCount ?? 0;
}

const IS_AS_READ = `e.state = row.as_read AND e.epoch = $2`;

/** Which findings are still to be written: their claims are as they were. */
export function readUnwrittenFindings(owner: Ownership, findings: readonly Finding[]): Promise<Unwritten> {
  const rows = findings.map(({ id, from }) => ({ id, asRead: from }));
  return readUnwritten(owner, rows, IS_AS_READ);
}
