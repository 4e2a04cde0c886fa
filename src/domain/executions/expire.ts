import type { Ownership } from "./claim.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { IS_IN_DOUBT, LOST_ANSWER } from "./in-doubt.js";
import { failed } from "#domain/contract/outcome.js";

/** Why executions of a portal wait for nothing: what keeps it from being called, as their workflows are told. */
export type ExpiryCode = Extract<ErrorCode, "DEADLINE_EXCEEDED" | "HUBSPOT_UNAVAILABLE" | "PORTAL_PAUSED">;

type ExpiringState = "QUEUED" | "UNCERTAIN" | "WATCHING";

/** In a paused portal only what would be sent waits; what may have been sent, or only looks, goes on. */
const EXPIRING_STATES: Readonly<Record<ExpiryCode, readonly ExpiringState[]>> = {
  DEADLINE_EXCEEDED: ["QUEUED", "UNCERTAIN", "WATCHING"],
  HUBSPOT_UNAVAILABLE: ["QUEUED", "UNCERTAIN", "WATCHING"],
  PORTAL_PAUSED: ["QUEUED"],
};

/**
 * Those past their time, by the partial index of their state: a state that came as a parameter would prove none of them,
 * and all of the portal's history be read. The order leads the planner there whatever it believes (query-plans.test.ts).
 *
 * What somebody else holds at this moment is found again by the next look.
 */
const overdue = (state: ExpiringState | "DECIDED", endsAt: "deadline_at" | "hold_ends_at"): string => `
  overdue AS MATERIALIZED (
    SELECT e.id FROM executions e
     WHERE e.portal_id = $1 AND e.state = '${state}' AND e.${endsAt} <= now() ORDER BY e.due_at, e.id
       FOR UPDATE OF e SKIP LOCKED)`;

/** They are locked as they were found. Asked for their state again, PostgreSQL 15 reads all that is open a second time. */
const ARE_OVERDUE = `e.portal_id = lease.portal_id AND e.id = ANY (ARRAY(SELECT id FROM overdue))`;

/** An admin may have resumed since the turn read "paused": then the ordinary claim decides what is past its deadline. */
const IS_STILL_PAUSED_IF_SAID = `($3 <> 'PORTAL_PAUSED' OR EXISTS (
  SELECT FROM portal_settings s WHERE s.portal_id = lease.portal_id AND s.paused_at IS NOT NULL))`;

/**
 * Gives up what is past its time in a portal that cannot be called, or whose admin paused it: open executions are
 * decided at their deadline with the code given, and completions that could not be handed over are abandoned when
 * HubSpot lets go of the contact; one that nobody waits for simply ends. In any other portal the ordinary claim does
 * the first. Reads all that is open: to be called only where something is past its time (overdue.ts).
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
        WITH ${owner.leaseCte}, ${overdue(state, "deadline_at")}
        UPDATE executions e
           SET state = 'DECIDED', decided_at = now(), execution_state = 'FAIL_CONTINUE', outputs = NULL,
               enrollment_status = CASE WHEN e.kind = 'ENROLL' THEN 'FAILED' END,
               error_code = $3, error_message = CASE WHEN ${IS_IN_DOUBT("e.")} THEN $4 || ' ' || $5 ELSE $4 END,
               ended_in_doubt = ${IS_IN_DOUBT("e.")},
               sender_user_id = CASE WHEN ${IS_IN_DOUBT("e.")} THEN e.sender_user_id END,
               sender_email = CASE WHEN ${IS_IN_DOUBT("e.")} THEN e.sender_email END
          FROM lease
         WHERE ${ARE_OVERDUE} AND ${IS_STILL_PAUSED_IF_SAID}`,
      values: [...values, code, errorMessage, LOST_ANSWER],
    });
  }
}
