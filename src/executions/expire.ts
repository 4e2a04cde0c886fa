import type { Ownership } from "./claim.js";
import { failed } from "./outcome.js";

/**
 * Gives up what is past its time in a portal that cannot be called, or whose admin paused it (`states`: what waits
 * there): open executions are decided at their deadline, and completions that could not be handed over are abandoned
 * when HubSpot lets go of the contact; one that nobody waits for simply ends. In a connected portal the ordinary claim
 * does the first.
 */
export async function expirePastDeadline(
  owner: Ownership,
  states: readonly ("QUEUED" | "UNCERTAIN" | "WATCHING")[] = ["QUEUED", "UNCERTAIN", "WATCHING"],
): Promise<void> {
  const { errorMessage } = failed("DEADLINE_EXCEEDED");
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
             error_code = 'DEADLINE_EXCEEDED', error_message = $3
        FROM lease
       WHERE e.portal_id = lease.portal_id AND e.state = ANY ($4::text[]) AND e.deadline_at <= now()`,
    values: [...values, errorMessage, states],
  });
}
