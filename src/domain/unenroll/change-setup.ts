import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import type { SetupState } from "./setup.js";

/**
 * Has the workers make the contact property and the helper workflow, or, where someone changed or deleted the workflow,
 * a new one: the changed one is left as it is. Does nothing while one is being made, or is in order.
 */
export async function switchOnUnenroll(pool: Pool, actor: Actor): Promise<void> {
  requireRight(actor, "switchOnUnenroll");
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO unenroll_setups AS s (portal_id, state) VALUES ($1, 'MAKING')
       ON CONFLICT (portal_id) DO UPDATE
         SET state = 'MAKING', flow_id = NULL, revision_id = NULL, problem = NULL, problem_at = NULL, due_at = now(), tries = 0,
             last_problem = NULL, updated_at = now()
         WHERE s.state = 'REMOVING' OR s.problem IS NOT NULL`,
      [actor.portalId],
    );
    if (rowCount !== 0) await note(client, actor, "on");
  });
}

/** Has the workers delete what they made, as soon as no contact is being unenrolled anymore. */
export async function switchOffUnenroll(pool: Pool, actor: Actor): Promise<void> {
  requireRight(actor, "switchOffUnenroll");
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE unenroll_setups SET state = 'REMOVING', problem = NULL, due_at = now(), tries = 0, last_problem = NULL, updated_at = now()
        WHERE portal_id = $1 AND state <> 'REMOVING'`,
      [actor.portalId],
    );
    if (rowCount !== 0) await note(client, actor, "off");
  });
}

/** Has the workers look at the helper workflow now, for an admin who has just seen to it in HubSpot. */
export async function checkUnenrollNow(pool: Pool, portalId: PortalId): Promise<void> {
  const states: readonly SetupState[] = ["MAKING", "ON"];
  await pool.query(
    `UPDATE unenroll_setups SET due_at = now(), problem = CASE WHEN problem IN ('NO_PERMISSION', 'NO_PROPERTY') THEN NULL ELSE problem END
      WHERE portal_id = $1 AND state = ANY ($2::text[])`,
    [portalId, states],
  );
}

function note(client: PoolClient, actor: Actor, now: "on" | "off"): Promise<void> {
  return recordChange(client, actor, {
    subject: "unenroll",
    subjectName: "Unenrolling",
    action: now === "on" ? "SWITCHED_ON" : "SWITCHED_OFF",
    before: { unenrolling: now === "on" ? "off" : "on" },
    after: { unenrolling: now },
  });
}
