import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import { authorOf, type Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import type { ExecutionKind } from "#domain/contract/execution.js";
import { markerOf } from "./made-flow.js";
import { readOwnActions } from "./own-actions.js";
import { planOf } from "./plan.js";
import { actionsOf, toFlow } from "./plan-flow.js";
import { takesStamps } from "./plan-trigger.js";
import type { RecipeChoices } from "./recipe.js";

export interface FlowRequest {
  /** A form that is sent twice has the same one, and makes one workflow. Letters, digits and hyphens. */
  readonly requestKey: string;
  readonly choices: RecipeChoices;
  /** Whether a contact property can put contacts in: only if the account has granted the scopes. */
  readonly takesStamps: boolean;
}

export type MakeFlowOutcome =
  | { readonly kind: "asked" }
  /** HubSpot has not named these actions to us yet: their steps cannot be written. */
  | { readonly kind: "actions-unknown"; readonly actions: readonly ExecutionKind[] };

/** Has the workers make a workflow in HubSpot, turned off. */
export async function makeFlow(
  pool: Pool,
  actor: Actor,
  { requestKey, choices, takesStamps: isStamped }: FlowRequest,
): Promise<MakeFlowOutcome> {
  requireRight(actor, "makeFlow");
  const plan = planOf(choices);
  const actions = await readOwnActions(pool);
  const unknown = actionsOf(plan).filter((kind) => actions[kind] === undefined);
  if (unknown.length > 0) return { kind: "actions-unknown", actions: unknown };
  const { name, recipe } = choices;
  const stamp = isStamped && takesStamps(choices.trigger.kind) ? requestKey : null;
  const description = `Made by the app Sequence Enroller. It is yours to change. ${markerOf(requestKey)}`;
  const definition = toFlow(plan, actions, { name, description, stamp });
  const { userId, userEmail } = authorOf(actor);
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO made_flows (portal_id, request_key, recipe, name, definition, stamp, made_by_user_id, made_by_email)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (portal_id, request_key) DO NOTHING`,
      [actor.portalId, requestKey, recipe, name, JSON.stringify(definition), stamp, userId, userEmail],
    );
    if (rowCount === 0) return;
    const change = { subject: "workflow", subjectName: name, action: "CREATED", after: { name, recipe } };
    await recordChange(client, actor, change);
  });
  return { kind: "asked" };
}

/**
 * Has the workers delete a workflow that was made here, if nobody has changed it in HubSpot. One that HubSpot refused is
 * only taken off the list.
 *
 * @returns false if there is no such workflow, or it is being made or deleted now.
 */
export async function removeMadeFlow(pool: Pool, actor: Actor, id: bigint): Promise<boolean> {
  requireRight(actor, "removeMadeFlow");
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ name: string; recipe: string }>(
      `UPDATE made_flows SET state = CASE WHEN state = 'MADE' THEN 'REMOVING' ELSE 'REMOVED' END, problem = NULL, message = NULL,
              due_at = now(), tries = 0
        WHERE portal_id = $1 AND id = $2 AND state IN ('MADE', 'FAILED') RETURNING name, recipe`,
      [actor.portalId, id],
    );
    const [removed] = rows;
    if (removed === undefined) return false;
    const { name, recipe } = removed;
    const change = { subject: "workflow", subjectName: name, action: "DELETED", before: { name, recipe } };
    await recordChange(client, actor, change);
    return true;
  });
}
