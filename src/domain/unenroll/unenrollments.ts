import type { EnrollmentToEnd, UnenrollOutcome } from "#domain/contract/actions/unenroll-contract.js";
import type { ExecutionKind, ExecutionState } from "#domain/contract/execution.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { SeenEnrollment, WatchedExecution } from "#domain/executions/watch.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";

/**
 * How far an execution's contact has been taken out of its sequence. Each request to HubSpot is safe to repeat, and its
 * state is stored before it is sent: whoever finds a row in STAMPING or CLEARING sends it again.
 *
 *   REQUESTED  nothing was written in HubSpot
 *   STAMPING   the contact's property is to be set; it may be set already
 *   STAMPED    HubSpot took the value: the helper workflow is at work, and the contact is looked at
 *   CLEARING   the result is known; the property is to be emptied
 *   CLEARED    it is empty, or was never set; the execution is to be told
 *   DONE       nothing more is owed
 */
export type UnenrollmentState = "REQUESTED" | "STAMPING" | "STAMPED" | "CLEARING" | "CLEARED" | "DONE";

/** The execution, as the statement that moves it wants it, with its own state. */
export interface AskingExecution extends WatchedExecution {
  readonly state: ExecutionState;
}

/** One that is due. */
export interface DueUnenrollment {
  readonly executionId: ExecutionId;
  readonly state: Exclude<UnenrollmentState, "DONE">;
  readonly contactId: string;
  readonly outcome: UnenrollOutcome | undefined;
  readonly enrollment: EnrollmentToEnd;
  readonly stamp: string | undefined;
  readonly stampedAt: Date | undefined;
  readonly stamps: number;
  readonly tries: number;
  /** Undefined: it was deleted. */
  readonly execution: AskingExecution | undefined;
}

interface DueRow {
  execution_id: string;
  state: Exclude<UnenrollmentState, "DONE">;
  contact_id: string;
  outcome: UnenrollOutcome | null;
  sequence_id: string;
  sequence_name: string;
  enrolled_at: Date | null;
  stamp: string | null;
  stamped_at: Date | null;
  stamps: number;
  tries: number;
  execution_state: ExecutionState | null;
  kind: ExecutionKind;
  callback_id: string;
  execution_contact_id: string;
  accepted_at: Date;
  deadline_at: Date;
  execution_due_at: Date;
  seen: SeenEnrollment | null;
  now: Date;
}

/**
 * Stores that an execution asks for its contact to be unenrolled; to be called before the execution waits for it, and
 * safe to repeat. What an earlier round of the same execution left is over by then.
 *
 * @returns which round of the execution this is; undefined if an earlier one is still under way, or the lease is lost.
 */
export async function storeRequest(
  owner: Ownership,
  { executionId, contactId, enrollment }: Pick<DueUnenrollment, "executionId" | "contactId" | "enrollment">,
): Promise<number | undefined> {
  const { sequenceId, sequenceName, enrolledAt } = enrollment;
  const { rows } = await owner.pool.query<{ rounds: number }>({
    name: "store-unenrollment",
    text: `
      WITH ${owner.leaseCte}
      INSERT INTO unenrollments AS u (portal_id, execution_id, contact_id, state, sequence_id, sequence_name, enrolled_at)
      SELECT lease.portal_id, $3, $4, 'REQUESTED', $5, $6, $7 FROM lease
      ON CONFLICT (portal_id, execution_id) DO UPDATE
        SET contact_id = excluded.contact_id, state = 'REQUESTED', outcome = NULL, sequence_id = excluded.sequence_id,
            sequence_name = excluded.sequence_name, enrolled_at = excluded.enrolled_at, stamp = NULL, stamped_at = NULL, left_at = NULL,
            stamps = 0, rounds = u.rounds + 1, due_at = now(), tries = 0, last_problem = NULL, ended_at = NULL
      WHERE u.state IN ('CLEARED', 'DONE')
      RETURNING rounds`,
    values: [
      owner.portalId,
      owner.epoch,
      executionId,
      contactId,
      sequenceId,
      sequenceName,
      enrolledAt ?? null,
    ],
  });
  return rows[0]?.rounds;
}

/** How often the execution has asked for its contact so far, and whether the last round is under way. */
export async function readRounds(
  { pool, portalId }: Pick<Ownership, "pool" | "portalId">,
  executionId: ExecutionId,
): Promise<{ rounds: number; isOpen: boolean }> {
  const { rows } = await pool.query<{ rounds: number; isOpen: boolean }>({
    name: "read-unenrollment-rounds",
    text: `SELECT rounds, state NOT IN ('CLEARED', 'DONE') AS "isOpen" FROM unenrollments WHERE portal_id = $1 AND execution_id = $2`,
    values: [portalId, executionId],
  });
  return rows[0] ?? { rounds: 0, isOpen: false };
}

/** What is due, the longest first, and the database's time. Reading claims nothing: the portal's one owner reads. */
export async function readDue(
  owner: Ownership,
  limit: number,
): Promise<{ now: Date; due: readonly DueUnenrollment[] }> {
  const { rows } = await owner.pool.query<DueRow>({
    name: "read-due-unenrollments",
    text: `
      SELECT u.execution_id, u.state, u.contact_id, u.outcome, u.sequence_id, u.sequence_name, u.enrolled_at, u.stamp, u.stamped_at,
             u.stamps, u.tries, e.state AS execution_state, e.kind, e.callback_id, e.contact_id AS execution_contact_id,
             e.accepted_at, e.deadline_at, e.due_at AS execution_due_at, e.outputs AS seen, now() AS now
        FROM unenrollments u LEFT JOIN executions e ON e.portal_id = u.portal_id AND e.id = u.execution_id
       WHERE u.portal_id = $1 AND u.state <> 'DONE' AND u.due_at <= now()
       ORDER BY u.due_at, u.execution_id LIMIT $2`,
    values: [owner.portalId, limit],
  });
  return { now: rows[0]?.now ?? new Date(0), due: rows.map(toDue) };
}

function toDue(row: DueRow): DueUnenrollment {
  return {
    executionId: BigInt(row.execution_id),
    state: row.state,
    contactId: row.contact_id,
    outcome: row.outcome ?? undefined,
    enrollment: {
      sequenceId: row.sequence_id,
      sequenceName: row.sequence_name,
      enrolledAt: row.enrolled_at ?? undefined,
    },
    stamp: row.stamp ?? undefined,
    stampedAt: row.stamped_at ?? undefined,
    stamps: row.stamps,
    tries: row.tries,
    execution: row.execution_state === null ? undefined : toAsking(row, row.execution_state),
  };
}

function toAsking(row: DueRow, state: ExecutionState): AskingExecution {
  return {
    id: BigInt(row.execution_id),
    state,
    kind: row.kind,
    callbackId: row.callback_id,
    contactId: row.execution_contact_id,
    acceptedAt: row.accepted_at,
    deadlineAt: row.deadline_at,
    dueAt: row.execution_due_at,
    maxWaitDays: undefined,
    isUnenrolling: true,
    seen: row.seen ?? {},
  };
}

/** What was found out about one, or done for it. */
export interface UnenrollmentMove {
  readonly of: Pick<DueUnenrollment, "executionId" | "state">;
  readonly to: UnenrollmentState;
  readonly dueInMs: number;
  readonly outcome?: UnenrollOutcome | undefined;
  /** Set if the contact was merged into another. */
  readonly contactId?: string | undefined;
  /** The value that is written next. */
  readonly stamp?: string | undefined;
  /** HubSpot took the value now. */
  readonly isStamped?: boolean;
  readonly tries?: number;
  readonly problem?: string | undefined;
}

/**
 * Stores moves under the lease, in one statement. Of two that want to stamp the same contact one has to wait: a stamp
 * is emptied when the one that wrote it is done, and must not take the other's with it.
 *
 * @returns the executions whose row was moved; none of a row that someone else moved, nor once the lease is lost.
 */
export async function writeMoves(
  owner: Ownership,
  moves: readonly UnenrollmentMove[],
): Promise<ReadonlySet<ExecutionId>> {
  if (moves.length === 0) return new Set();
  const column = (value: (move: UnenrollmentMove) => unknown) => moves.map((move) => value(move) ?? null);
  const { rows } = await owner.pool.query<{ execution_id: string }>({
    name: "write-unenrollments",
    text: `
      WITH ${owner.leaseCte}, move AS (
        SELECT * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::text[], $10::boolean[],
                             $11::int[], $12::text[])
          AS row (execution_id, from_state, to_state, due_in_ms, outcome, contact_id, stamp, is_stamped, tries, problem)
      )
      UPDATE unenrollments u
         SET state = m.to_state, due_at = now() + m.due_in_ms * interval '1 millisecond',
             outcome = coalesce(m.outcome, u.outcome),
             left_at = CASE WHEN m.outcome = 'UNENROLLED' THEN coalesce(u.left_at, now()) ELSE u.left_at END,
             contact_id = CASE WHEN m.to_state <> 'DONE' THEN coalesce(m.contact_id, u.contact_id) END,
             stamp = coalesce(m.stamp, u.stamp), stamps = u.stamps + CASE WHEN m.stamp IS NULL THEN 0 ELSE 1 END,
             stamped_at = CASE WHEN m.is_stamped THEN coalesce(u.stamped_at, now()) ELSE u.stamped_at END,
             tries = coalesce(m.tries, 0), last_problem = m.problem,
             ended_at = CASE WHEN m.to_state = 'DONE' THEN now() ELSE u.ended_at END
        FROM move m, lease
       WHERE u.portal_id = lease.portal_id AND u.execution_id = m.execution_id AND u.state = m.from_state
         AND (m.stamp IS NULL OR NOT EXISTS (
           SELECT FROM unenrollments o
            WHERE o.portal_id = u.portal_id AND o.contact_id = u.contact_id AND o.execution_id <> u.execution_id
              AND o.state IN ('STAMPING', 'STAMPED', 'CLEARING')))
      RETURNING u.execution_id`,
    values: [
      owner.portalId,
      owner.epoch,
      column(({ of }) => of.executionId),
      column(({ of }) => of.state),
      column(({ to }) => to),
      column(({ dueInMs }) => dueInMs),
      column(({ outcome }) => outcome),
      column(({ contactId }) => contactId),
      column(({ stamp }) => stamp),
      column(({ isStamped }) => isStamped ?? false),
      column(({ tries }) => tries),
      column(({ problem }) => problem),
    ],
  });
  return new Set(rows.map(({ execution_id }) => BigInt(execution_id)));
}

/** Whether some contact may still be stamped. */
export async function hasOpenUnenrollments({
  pool,
  portalId,
}: Pick<Ownership, "pool" | "portalId">): Promise<boolean> {
  const { rows } = await pool.query<{ is_open: boolean }>({
    name: "has-open-unenrollments",
    text: `SELECT EXISTS (SELECT FROM unenrollments WHERE portal_id = $1 AND state <> 'DONE') AS is_open`,
    values: [portalId],
  });
  return rows[0]?.is_open === true;
}

/** SQL: when the next step of the account's unenrollments is due; null: there is none. `p` is the portal. */
export const NEXT_UNENROLLMENT = `(SELECT min(u.due_at) FROM unenrollments u WHERE u.portal_id = p.portal_id AND u.state <> 'DONE')`;
