import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { applyAction, AUDIT_ACTIONS, type AdminAction } from "./admin-actions.js";
import { readAuditedState } from "./audited-state.js";

/** Does one thing to one execution. False if it no longer applied. */
export async function actOnExecution(
  pool: Pool,
  actor: Actor,
  { action, id }: { action: AdminAction; id: ExecutionId },
): Promise<boolean> {
  requireRight(actor, "actOnExecution");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const before = await readAuditedState(client, portalId, { id, action });
    const changed = await applyAction(client, action, { portalId, ids: [id] });
    if (changed === 0) return false;
    await recordChange(client, actor, {
      subject: "executions",
      subjectName: `execution ${id}`,
      action: AUDIT_ACTIONS[action],
      before,
      after: await readAuditedState(client, portalId, { id, action }),
    });
    return true;
  });
}
