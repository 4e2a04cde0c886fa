import type { Ownership } from "./claim.js";
import type { ErrorCode } from "./error-codes.js";
import { failed } from "./outcome.js";

/** Why executions of a portal wait for nothing: what keeps it from being called, as their workflows are told. */
type Standstill = Extract<ErrorCode, "DEADLINE_EXCEEDED" | "HUBSPOT_UNAVAILABLE" | "PORTAL_PAUSED">;

/** In a paused portal only what would be sent waits; what may have been sent, or only looks, goes on. */
const STOPPED: Readonly<Record<Standstill, readonly ("QUEUED" | "UNCERTAIN" | "WATCHING")[]>> = {
  DEADLINE_EXCEEDED: ["QUEUED", "UNCERTAIN", "WATCHING"],
  HUBSPOT_UNAVAILABLE: ["QUEUED", "UNCERTAIN", "WATCHING"],
  PORTAL_PAUSED: ["QUEUED"],
};

/**
 * Gives up what is past its time in a portal that cannot be called, or whose admin paused it: open executions are
 * decided at their deadline with the code given, and completions that could not be handed over are abandoned when
 * HubSpot lets go of the contact; one that nobody waits for simply ends. In any other portal the ordinary claim does
 * the first.
 */
export async function expirePastDeadline(owner: Ownership, code: Standstill): Promise<void> {
  const { errorMessage } = failed(code);
  const values = [owner.portalId, owner.epoch];
  await owner.pool.query({
    name: "abandon-completions",
    text: `
      WITH ${owner.leaseCte}
      UPDATE executions e
         SET state = CASE WHEN e.is_held THEN 'COMPLETION_ABANDONED' ELSE 'COMPLETED' END,
             completed_at = CASE WHEN NOT e.is_held THEN now() END
        FROM lease
       WHERE e.portal_id = lease.portal_id AND e.state = 'DECIDED'
         AND e.hold_ends_at <= now()`,
    values,
  });
  await owner.pool.query({
    name: "expire-executions",
    text: `
      WITH ${owner.leaseCte}
      UPDATE executions e
         SET state = 'DECIDED', decided_at = now(), execution_state = 'FAIL_CONTINUE', outputs = NULL,
             enrollment_status = CASE WHEN e.kind = 'ENROLL' THEN 'FAILED' END,
             error_code = $3, error_message = $4
        FROM lease
       WHERE e.portal_id = lease.portal_id AND e.state = ANY ($5::text[]) AND e.deadline_at <= now()`,
    values: [...values, code, errorMessage, STOPPED[code]],
  });
}
