import type { Moves } from "#domain/contract/execution.js";
import type { Ownership } from "../claim.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { IS_IN_DOUBT, LOST_ANSWER } from "../endings/in-doubt.js";
import { leftInNone } from "../endings/left-in-none.js";
import { failed } from "#domain/contract/outcome.js";
import { tellOutcomes, TOLD_COLUMNS } from "#domain/subscriptions/tell.js";

/** Why a portal's executions cannot continue, as the error code their workflows get. */
export type ExpiryCode = Extract<ErrorCode, "DEADLINE_EXCEEDED" | "HUBSPOT_UNAVAILABLE" | "PORTAL_PAUSED">;

type ExpiringState = "QUEUED" | "UNCERTAIN" | "WATCHING";

/**
 * A paused portal holds back only what has yet to be sent; rows that may have been sent, or only wait for a sequence,
 * continue.
 */
const EXPIRING_STATES: Readonly<Record<ExpiryCode, readonly ExpiringState[]>> = {
  DEADLINE_EXCEEDED: ["QUEUED", "UNCERTAIN", "WATCHING"],
  HUBSPOT_UNAVAILABLE: ["QUEUED", "UNCERTAIN", "WATCHING"],
  PORTAL_PAUSED: ["QUEUED"],
};

/**
 * Rows past their time, by the partial index of their state. A state passed as a parameter matches no partial index,
 * and the portal's whole history would be read. The ORDER BY leads the planner to the index whatever its statistics say
 * (query-plans.test.ts).
 *
 * The next check finds rows that someone else holds now.
 */
const overdue = (state: ExpiringState | "DECIDED", endsAt: "deadline_at" | "hold_ends_at"): string => `
  overdue AS MATERIALIZED (
    SELECT e.id FROM executions e
     WHERE e.portal_id = $1 AND e.state = '${state}' AND e.${endsAt} <= now() ORDER BY e.due_at, e.id
       FOR UPDATE OF e SKIP LOCKED)`;

/**
 * The rows are already locked as found. If their state were checked again, PostgreSQL 15 would read all open rows a
 * second time.
 */
const ARE_OVERDUE = `e.portal_id = lease.portal_id AND e.id = ANY (ARRAY(SELECT id FROM overdue))`;

/** An admin may have resumed since the turn read "paused": then the ordinary claim decides what is past its deadline. */
const IS_STILL_PAUSED_IF_SAID = `($3 <> 'PORTAL_PAUSED' OR EXISTS (
  SELECT FROM portal_settings s WHERE s.portal_id = lease.portal_id AND s.paused_at IS NOT NULL))`;

const OUTCOME = leftInNone({
  status: "'FAILED'",
  code: "$3",
  message: `CASE WHEN ${IS_IN_DOUBT("e.")} THEN $4 || ' ' || $5 ELSE $4 END`,
});

export const EXPIRY_MOVES = {
  QUEUED: ["DECIDED"],
  UNCERTAIN: ["DECIDED"],
  WATCHING: ["DECIDED"],
  DECIDED: ["COMPLETION_ABANDONED", "COMPLETED"],
} as const satisfies Moves;

/**
 * Gives up what is past its time in a portal that cannot be called or is paused: open executions are decided at their
 * deadline with the given code, and completions that could not be delivered are abandoned when HubSpot releases the
 * contact; a retry, which has no waiting workflow, simply ends. In any other portal the ordinary claim handles
 * deadlines. Reads all open rows: call it only if something is past its time (overdue.ts).
 */
export async function expirePastDeadline(owner: Ownership, code: ExpiryCode): Promise<void> {
  const { errorMessage } = failed(code);
  const values = [owner.portalId, owner.epoch];
  await owner.pool.query({
    name: "abandon-completions",
    text: `
      WITH ${owner.leaseCte}, ${overdue("DECIDED", "hold_ends_at")}
      UPDATE executions e
         SET state = CASE WHEN e.is_held THEN 'COMPLETION_ABANDONED' ELSE 'COMPLETED' END,
             completed_at = CASE WHEN NOT e.is_held THEN now() END
        FROM lease
       WHERE ${ARE_OVERDUE}`,
    values,
  });
  for (const state of EXPIRING_STATES[code]) {
    await owner.pool.query({
      name: `expire-${state.toLowerCase()}-executions`,
      text: `
        WITH ${owner.leaseCte}, ${overdue(state, "deadline_at")}, expired AS (
        UPDATE executions e
           SET state = 'DECIDED', decided_at = now(), execution_state = 'FAIL_CONTINUE', outputs = NULL,
               enrollment_status = CASE WHEN e.kind = 'ENROLL' THEN 'FAILED' END,
               error_code = ${OUTCOME.code}, error_message = ${OUTCOME.message},
               ended_in_doubt = ${IS_IN_DOUBT("e.")},
               sender_user_id = CASE WHEN ${IS_IN_DOUBT("e.")} THEN e.sender_user_id END,
               sender_email = CASE WHEN ${IS_IN_DOUBT("e.")} THEN e.sender_email END
          FROM lease
         WHERE ${ARE_OVERDUE} AND ${IS_STILL_PAUSED_IF_SAID}
        RETURNING ${TOLD_COLUMNS}
        ), ${tellOutcomes("expired")}
        SELECT id FROM expired`,
      values: [...values, code, errorMessage, LOST_ANSWER],
    });
  }
}
