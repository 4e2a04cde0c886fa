import { IS_FIRST_ATTEMPT, type Ownership } from "./claim.js";
import { isLegalMove, type ExecutionKind, type Moves } from "#domain/contract/execution.js";
import type { Outcome } from "#domain/contract/outcome.js";
import { tellOutcomes, TOLD_COLUMNS } from "#domain/subscriptions/tell.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { leftInNone } from "./endings/left-in-none.js";
import { FREE_ROWS, readUnwritten, type Unwritten } from "./unwritten.js";

/**
 * What an earlier look saw, as stored in `outputs` while the execution waits: the enrollment to wait for, and when the
 * contact was first seen out of it if HubSpot did not say how it ended.
 */
export interface SeenEnrollment {
  readonly sequence_id?: string;
  readonly enrolled_at?: string;
  readonly left_at?: string;
}

/** An execution that waits for its contact's sequence to end. */
export interface WatchedExecution {
  readonly id: ExecutionId;
  readonly kind: ExecutionKind;
  readonly callbackId: string;
  readonly contactId: string;
  readonly acceptedAt: Date;
  readonly deadlineAt: Date;
  /** As read: an earlier check that a webhook asked for meanwhile must not be overwritten. */
  readonly dueAt: Date;
  readonly maxWaitDays: number | undefined;
  /** Its contact is being taken out of its sequence, which moves it on (domain/unenroll); a look only ends it at its deadline. */
  readonly isUnenrolling: boolean;
  readonly seen: SeenEnrollment;
}

/** The result of a check. `contactId` is set if the contact was merged into another. */
export type LookResult =
  | { readonly to: "WATCHING"; readonly dueAt: Date; readonly seen: SeenEnrollment }
  /** Its sequence is over: enroll it now, as if it had just come. */
  | { readonly to: "QUEUED" }
  | { readonly to: "DECIDED"; readonly outcome: Outcome };

export interface Look {
  readonly execution: WatchedExecution;
  readonly result: LookResult;
  readonly contactId?: string | undefined;
}

/** What is due, with the database's time, which every decision about it uses. */
export interface WatchBatch {
  readonly now: Date;
  readonly executions: readonly WatchedExecution[];
}

interface WatchedRow {
  id: string;
  kind: ExecutionKind;
  callback_id: string;
  contact_id: string;
  accepted_at: Date;
  deadline_at: Date;
  due_at: Date;
  max_wait_days: number | null;
  is_unenrolling: boolean;
  seen: SeenEnrollment | null;
  now: Date;
}

/**
 * Executions to check: if one is due, those due within `gatherMs` come along, so that a request is as full as possible.
 * Reading claims nothing: the portal's one owner is the only reader, and after a crash the next owner reads again.
 */
export async function readWatched(
  owner: Ownership,
  options: { limit: number; gatherMs: number },
): Promise<WatchBatch> {
  const { rows } = await owner.pool.query<WatchedRow>({
    name: "read-watched-executions",
    text: `
      SELECT e.id, e.kind, e.callback_id, e.contact_id, e.accepted_at, e.deadline_at, e.due_at, now() AS now,
             (e.request ->> 'maxWaitDays')::float8 AS max_wait_days, e.outputs AS seen,
             EXISTS (SELECT FROM unenrollments u
                      WHERE u.portal_id = e.portal_id AND u.execution_id = e.id AND u.state <> 'DONE') AS is_unenrolling
        FROM executions e
       WHERE e.portal_id = $1 AND e.state = 'WATCHING' AND e.due_at <= now() + $3::float8 * interval '1 millisecond'
         AND (SELECT min(first.due_at) FROM executions first
               WHERE first.portal_id = $1 AND first.state = 'WATCHING') <= now()
       ORDER BY e.due_at, e.id LIMIT $2`,
    values: [owner.portalId, options.limit, options.gatherMs],
  });
  return { now: rows[0]?.now ?? new Date(0), executions: rows.map(toWatched) };
}

function toWatched(row: WatchedRow): WatchedExecution {
  return {
    id: BigInt(row.id),
    kind: row.kind,
    callbackId: row.callback_id,
    contactId: row.contact_id,
    acceptedAt: row.accepted_at,
    deadlineAt: row.deadline_at,
    dueAt: row.due_at,
    maxWaitDays: row.max_wait_days ?? undefined,
    isUnenrolling: row.is_unenrolling,
    seen: row.seen ?? {},
  };
}

/** Our latest enrollment of each contact that has one, since `since`. */
export async function readOwnEnrollments(
  owner: Ownership,
  contactIds: readonly string[],
  since: Date,
): Promise<Map<string, { sequenceId: string; enrolledAt: Date }>> {
  const { rows } = await owner.pool.query<{ contact_id: string; sequence_id: string; enrolled_at: Date }>({
    name: "read-own-enrollments",
    text: `
      SELECT DISTINCT ON (contact_id) contact_id, sequence_id, enrolled_at FROM executions
       WHERE portal_id = $1 AND contact_id = ANY ($2::text[]) AND enrollment_status = 'ENROLLED' AND enrolled_at >= $3
       ORDER BY contact_id, enrolled_at DESC`,
    values: [owner.portalId, contactIds, since],
  });
  return new Map(
    rows.map((row) => [row.contact_id, { sequenceId: row.sequence_id, enrolledAt: row.enrolled_at }]),
  );
}

/** Only one request was ever sent for it (or for what it retries), and HubSpot refused it: none can still arrive. */
const WAS_REFUSED = IS_FIRST_ATTEMPT;

const OUTCOME = leftInNone({
  status: "l.enrollment_status",
  code: "l.error_code",
  message: "l.error_message",
});

export const LOOK_MOVES = { WATCHING: ["WATCHING", "QUEUED", "DECIDED"] } as const satisfies Moves;

/**
 * An enrollment that is tried again after the wait starts from scratch if whatever was refused before was certainly not
 * ours; one with an unanswered attempt continues reading before it waits or sends again. A check that a webhook moved
 * forward stays so.
 */
const UPDATE = (leaseCte: string, again = ""): string => `
  WITH ${leaseCte}, look AS (
    SELECT * FROM unnest(
      $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[],
      $11::jsonb[], $12::text[], $13::text[]
    ) AS row (
      id, to_state, read_due_at, due_at, execution_state, enrollment_status, error_code, error_message, outputs, contact_id,
      read_contact_id)
  ), written AS (
  UPDATE executions e
     SET state = l.to_state,
         due_at = CASE WHEN l.to_state <> 'WATCHING' THEN now()
                       WHEN e.due_at = l.read_due_at THEN l.due_at ELSE e.due_at END,
         contact_id = coalesce(l.contact_id, e.contact_id),
         outputs = l.outputs,
         attempts = CASE WHEN l.to_state = 'QUEUED' AND ${WAS_REFUSED} THEN 0 ELSE e.attempts END,
         first_attempt_at = CASE WHEN l.to_state = 'QUEUED' AND ${WAS_REFUSED} THEN NULL ELSE e.first_attempt_at END,
         first_sent_at = CASE WHEN l.to_state = 'QUEUED' AND ${WAS_REFUSED} THEN NULL ELSE e.first_sent_at END,
         execution_state = l.execution_state,
         enrollment_status = CASE WHEN e.kind = 'ENROLL' THEN l.enrollment_status END,
         error_code = ${OUTCOME.code}, error_message = ${OUTCOME.message},
         decided_at = CASE WHEN l.to_state = 'DECIDED' THEN now() END
    FROM look l, lease
   WHERE e.portal_id = lease.portal_id AND e.id = l.id AND e.state = 'WATCHING' AND e.contact_id = l.read_contact_id
         ${again}
  RETURNING ${TOLD_COLUMNS}
  ), ${tellOutcomes("written")}
  SELECT id FROM written`;

/**
 * A row that an earlier try wrote has a different due time; so does one that a webhook moved forward, and that one is
 * checked again.
 */
const AGAIN = `AND e.due_at = l.read_due_at ${FREE_ROWS}`;

/**
 * Writes the results of checks, in one statement under the lease. Skips rows that moved meanwhile (a webhook reported
 * that the contact is gone, or was merged into another, which is then checked), and does nothing once the portal has a
 * new owner. In order of ids, since the webhooks lock the same rows.
 *
 * @param options.isAgain an earlier try may have taken effect: leaves out rows whose due time changed, and rows that
 *   someone else holds.
 * @returns how many rows moved.
 */
export async function writeLooks(
  owner: Ownership,
  looked: readonly Look[],
  { isAgain = false } = {},
): Promise<number> {
  const looks = looked.toSorted((one, other) => (one.execution.id < other.execution.id ? -1 : 1));
  if (looks.some(({ result }) => !isLegalMove("WATCHING", result.to)))
    throw new Error("illegal move of an execution that waits for a sequence to end");
  const outcome = ({ result }: Look): Partial<Outcome> => (result.to === "DECIDED" ? result.outcome : {});
  const column = (value: (look: Look) => unknown) => looks.map((look) => value(look) ?? null);
  const { rowCount } = await owner.pool.query({
    ...(isAgain
      ? { name: "write-looks-again", text: UPDATE(owner.leaseCte, AGAIN) }
      : { name: "write-looks", text: UPDATE(owner.leaseCte) }),
    values: [
      owner.portalId,
      owner.epoch,
      column(({ execution }) => execution.id),
      column(({ result }) => result.to),
      column(({ execution }) => execution.dueAt),
      column(({ result }) => (result.to === "WATCHING" ? result.dueAt : undefined)),
      column((look) => outcome(look).executionState),
      column((look) => outcome(look).enrollmentStatus),
      column((look) => outcome(look).errorCode),
      column((look) => outcome(look).errorMessage),
      column((look) => outputsOf(look.result)),
      column(({ contactId }) => contactId),
      column(({ execution }) => execution.contactId),
    ],
  });
  return rowCount ?? 0;
}

/** Which results are still to be written. */
export function readUnwrittenLooks(owner: Ownership, looks: readonly Look[]): Promise<Unwritten> {
  const rows = looks.map(({ execution: { id, dueAt } }) => ({ id, asRead: dueAt }));
  return readUnwritten(owner, rows, `e.state = 'WATCHING' AND e.due_at = row.as_read::timestamptz`);
}

function outputsOf(result: LookResult): string | undefined {
  if (result.to === "WATCHING") return JSON.stringify(result.seen);
  if (result.to === "DECIDED" && result.outcome.outputs !== undefined)
    return JSON.stringify(result.outcome.outputs);
  return undefined;
}
