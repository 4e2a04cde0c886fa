import type { Pool } from "pg";
import {
  LANES,
  type ClaimedExecution,
  type EnrollRequest,
  type ExecutionKind,
  type Moves,
} from "#domain/contract/execution.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { momentIn, sqlTimeLeftMs } from "./time-left.js";

interface ClaimedRow {
  id: string;
  kind: ExecutionKind;
  state: "ATTEMPTING" | "UNCERTAIN";
  callback_id: string;
  contact_id: string;
  contact_email: string | null;
  sequence_id: string;
  request: EnrollRequest;
  traceparent: string | null;
  attempts: number;
  retries: number;
  crashes: number;
  first_attempt_age_ms: number;
  first_sent_at: Date | null;
  doubted_at: Date | null;
  accepted_at: Date;
  due_at: Date;
  age_ms: number;
  has_waited: boolean;
  deadline_left_ms: number;
}

/**
 * A wait of its own is recorded when it begins (accept.ts, write-back.ts); a stop of the whole portal is recorded with
 * the portal.
 */
const AGE = `(extract(epoch FROM now() - e.accepted_at) * 1000)::float8 AS age_ms,
  (e.has_waited
    OR e.accepted_at <= coalesce((SELECT resumed_at FROM portal_drains WHERE portal_id = $1), '-infinity')) AS has_waited`;

/**
 * SQL: the attempt under way is the first, also of its family. A retry keeps its family's first attempt, which is older
 * than its own acceptance; both are compared because the database's clock may have been set back in between.
 */
export const IS_FIRST_ATTEMPT = `(e.attempts = 1 AND e.retry_of IS NULL AND e.first_attempt_at >= e.accepted_at)`;

const RETURNED = `e.id, e.kind, e.state, e.callback_id, e.contact_id, e.contact_email, e.sequence_id, e.request, e.request ->> 'traceparent' AS traceparent, e.attempts, e.retries, e.crashes,
  e.first_sent_at, e.doubted_at, e.accepted_at, e.due_at,
  ${sqlTimeLeftMs("e.deadline_at")} AS deadline_left_ms,
  coalesce(extract(epoch FROM now() - e.first_attempt_at) * 1000, 0)::float8 AS first_attempt_age_ms, ${AGE}`;

/**
 * The owner's statements carry the lease as their first CTE, so that an old owner's statements have no effect
 * (platform/queue/portal-lease.ts).
 *
 * Statements that mostly find nothing compare each row with the lease instead of checking it first: it is locked with
 * the first row only, and a statement that locks nothing has nothing to commit.
 */
export interface Ownership {
  readonly pool: Pool;
  readonly portalId: PortalId;
  readonly epoch: bigint;
  /** SQL of the CTE `lease`, on $1 (portal) and $2 (epoch). */
  readonly leaseCte: string;
  /** HubSpot's time; undefined or absent if not known. Used for whatever is compared with HubSpot's times. */
  readonly hubspotNow?: () => Date | undefined;
}

function toClaimed(row: ClaimedRow): ClaimedExecution {
  return {
    id: BigInt(row.id),
    kind: row.kind,
    state: row.state,
    callbackId: row.callback_id,
    contactId: row.contact_id,
    contactEmail: row.contact_email,
    sequenceId: row.sequence_id,
    request: row.request,
    traceparent: row.traceparent ?? undefined,
    attempts: row.attempts,
    retries: row.retries,
    crashes: row.crashes,
    firstAttemptMs: performance.now() - row.first_attempt_age_ms,
    firstSentAt: row.first_sent_at ?? undefined,
    doubtedAt: row.doubted_at ?? undefined,
    acceptedAt: row.accepted_at,
    dueAt: row.due_at,
    ageMs: row.age_ms,
    hasWaited: row.has_waited,
    deadlineMs: momentIn(row.deadline_left_ms),
  };
}

export const CLAIM_MOVES = { QUEUED: ["ATTEMPTING"] } as const satisfies Moves;

/** Whose turn it is when an odd number of places is shared: the workflows', or everyone else's. */
export type OddPlace = "workflows" | "others";

/**
 * Due executions of one lane. A paused portal has none from the moment of its pause, whatever the turn's owner still
 * believes. The lease and the pause are in EXISTS, not in joins, so that the index is read in order and only as far as
 * the limit, however long the backlog (checked by test/integration/db/query-plans.test.ts).
 */
const dueIn = (lane: number, { more = "", limit }: { more?: string; limit: string }): string => `
  SELECT e.id, e.lane, e.due_at FROM executions e
   WHERE e.portal_id = $1 AND e.state = 'QUEUED' AND e.lane = ${lane} AND e.due_at <= now() ${more}
     AND NOT EXISTS (SELECT FROM portal_settings s WHERE s.portal_id = $1 AND s.paused_at IS NOT NULL)
   ORDER BY e.due_at, e.id LIMIT ${limit}`;

/**
 * The order in which due executions of the lanes are claimed. Workflows hold contacts, so they get every other place
 * while others wait as well. The rest goes first to single calls of the API, then to batches and imports. What a lane
 * does not need, the others get.
 *
 * @param odd SQL: 1 if the workflows have the first place, 0 if the others have it.
 */
const inTurns = (odd: string): string => `
  SELECT id, 2 * row_number() OVER (ORDER BY due_at, id) - ${odd} AS place FROM of_workflows
   UNION ALL
  SELECT id, 2 * row_number() OVER (ORDER BY lane, due_at, id) - 1 + ${odd} FROM (TABLE of_calls UNION ALL TABLE of_batches) AS others`;

/**
 * Claims up to `limit` due executions and stores the intent to attempt them, in one statement: after a crash each row
 * tells whether its request may have been sent.
 *
 * The state of the claimed rows comes from a sub-select. With a constant the planner may read the partial index of that
 * state instead of their key, and pass every row that left it since the last vacuum. The ids are in an array for the
 * same reason as in {@link dueIn}.
 *
 * Rows that someone else holds (an admin, a webhook) are left for the next turn, milliseconds later. A claim takes rows
 * by due time; waiting for one while holding others would cause deadlocks.
 *
 * A queued execution was certainly not sent: the sender of an earlier attempt is cleared until the intent of this one
 * names its own (intent.ts).
 */
export async function claimDue(
  owner: Ownership,
  limit: number,
  oddPlace: OddPlace = "workflows",
): Promise<ClaimedExecution[]> {
  const dueNow = (lane: number): string =>
    dueIn(lane, { more: "AND EXISTS (SELECT FROM lease)", limit: "$3 FOR UPDATE OF e SKIP LOCKED" });
  const { rows } = await owner.pool.query<ClaimedRow>({
    name: "claim-due-executions",
    text: `
      WITH ${owner.leaseCte}, of_workflows AS (${dueNow(LANES.workflow)}
      ), of_calls AS (${dueNow(LANES.call)}
      ), of_batches AS (${dueNow(LANES.batch)}
      ), in_turns AS (${inTurns("$4::int")}
      ), due AS (SELECT id FROM in_turns ORDER BY place LIMIT $3)
      UPDATE executions e
         SET state = 'ATTEMPTING', epoch = $2, sender_user_id = NULL, sender_email = NULL, attempts = e.attempts + 1, first_attempt_at = coalesce(e.first_attempt_at, now())
       WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM due)) AND e.state = (SELECT 'QUEUED')
      RETURNING ${RETURNED}`,
    values: [owner.portalId, owner.epoch, limit, oddPlace === "workflows" ? 1 : 0],
  });
  return rows.map(toClaimed);
}

/** A contact to be enrolled next. */
export type NextContact = Pick<ClaimedExecution, "contactId" | "ageMs" | "hasWaited">;

/**
 * The contacts of the next `limit` due executions that enroll, nearly in the order in which they will be claimed.
 * Claims nothing.
 */
export async function readNextContacts(
  { pool, portalId }: Pick<Ownership, "pool" | "portalId">,
  limit: number,
): Promise<NextContact[]> {
  const enrolling = (lane: number): string => dueIn(lane, { more: "AND e.kind = 'ENROLL'", limit: "$2" });
  const { rows } = await pool.query<Pick<ClaimedRow, "contact_id" | "age_ms" | "has_waited">>({
    name: "read-next-contacts",
    text: `
      WITH of_workflows AS (${enrolling(LANES.workflow)}
      ), of_calls AS (${enrolling(LANES.call)}
      ), of_batches AS (${enrolling(LANES.batch)}
      ), next AS (SELECT * FROM (${inTurns("1")}) AS in_turns ORDER BY place LIMIT $2)
      SELECT contact.* FROM next CROSS JOIN LATERAL (
        SELECT e.contact_id, ${AGE} FROM executions e WHERE e.portal_id = $1 AND e.id = next.id OFFSET 0) AS contact
       ORDER BY next.place`,
    values: [portalId, limit],
  });
  return rows.map((row) => ({
    contactId: row.contact_id,
    ageMs: row.age_ms,
    hasWaited: row.has_waited,
  }));
}

/**
 * Claims up to `limit` executions whose last attempt ended without an answer: they are read, never sent. Only a claimed
 * row names an epoch; writing its result clears it.
 */
export async function claimUncertain(owner: Ownership, limit: number): Promise<ClaimedExecution[]> {
  const { rows } = await owner.pool.query<ClaimedRow>({
    name: "claim-uncertain-executions",
    text: `
      WITH ${owner.leaseCte}, due AS (
        SELECT e.id FROM executions e
         WHERE e.portal_id = $1 AND e.state = 'UNCERTAIN' AND e.due_at <= now()
           AND coalesce(e.epoch, 0) <= (SELECT epoch FROM lease)
         ORDER BY e.due_at, e.id LIMIT $3 FOR UPDATE OF e SKIP LOCKED
      )
      UPDATE executions e SET epoch = $2, due_at = now() + interval '1 minute'
       WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM due)) AND e.state = (SELECT 'UNCERTAIN')
      RETURNING ${RETURNED}`,
    values: [owner.portalId, owner.epoch, limit],
  });
  return rows.map(toClaimed);
}

export const RECOVERY_MOVES = {
  ATTEMPTING: ["QUEUED", "UNCERTAIN"],
  UNCERTAIN: ["UNCERTAIN"],
} as const satisfies Moves;

const UNSENT = `(e.state = 'ATTEMPTING' AND e.sender_user_id IS NULL)`;

/**
 * Makes due again what an earlier owner left behind. Before an enroll request is sent, its sender is stored
 * (intent.ts): a claimed row without a sender was certainly not sent, and its claim is undone at no cost. A row with
 * one may or may not have been sent, and is read first; a row that was being read otherwise keeps its claim.
 *
 * Whatever may have been sent is in doubt from now on, since its owner sends nothing later; if HubSpot's clock is not
 * known yet, from the first reading on.
 *
 * A row that someone else holds (an admin, a webhook, a dead session) is left for the next turn, which the sweep
 * starts: waiting for it would block the whole portal.
 *
 * @param end.isCrash false if the earlier owner handed the portal over in an orderly way, even with results unwritten.
 */
export async function recoverAttempts(owner: Ownership, { isCrash }: { isCrash: boolean }): Promise<number> {
  const { rowCount } = await owner.pool.query({
    name: "recover-attempts",
    text: `
      WITH ${owner.leaseCte}, left_behind AS (
        SELECT e.id FROM executions e
         WHERE e.portal_id = $1 AND e.state IN ('ATTEMPTING', 'UNCERTAIN') AND e.epoch IS NOT NULL
           AND e.epoch < (SELECT epoch FROM lease)
           FOR UPDATE OF e SKIP LOCKED
      )
      UPDATE executions e
         SET state = CASE WHEN ${UNSENT} THEN 'QUEUED' ELSE 'UNCERTAIN' END, epoch = NULL, due_at = now(),
             attempts = e.attempts - CASE WHEN ${UNSENT} THEN 1 ELSE 0 END,
             first_attempt_at = CASE WHEN ${UNSENT} AND ${IS_FIRST_ATTEMPT} THEN NULL ELSE e.first_attempt_at END,
             doubted_at = CASE WHEN e.state = 'ATTEMPTING' AND NOT ${UNSENT} THEN $4::timestamptz ELSE e.doubted_at END,
             crashes = e.crashes + CASE WHEN $3 THEN 1 ELSE 0 END,
             last_problem = CASE WHEN $3 THEN 'The worker stopped during the attempt' ELSE 'The end of the attempt could not be stored' END
       WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM left_behind))`,
    values: [owner.portalId, owner.epoch, isCrash, owner.hubspotNow?.() ?? null],
  });
  return rowCount ?? 0;
}
