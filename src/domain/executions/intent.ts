import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";
import { IS_FIRST_ATTEMPT, type Ownership } from "./claim.js";

/** The sender an attempt is about to use, stored before the request: a successor has to count it. */
export interface Intent {
  readonly executionId: ExecutionId;
  readonly senderUserId: UserId;
  readonly senderEmail: string;
  /** Why this sender: `sender_choice` of the execution. */
  readonly senderChoice: object;
}

/** A rotation member's position after the picks behind the intents. */
export interface RotationState {
  readonly rotationId: string;
  readonly userId: UserId;
  readonly currentWeight: number;
  readonly picks: number;
}

/**
 * Stores the intents of attempts under way, and the advanced rotations, in one statement under the owner's epoch.
 *
 * The first intent also records HubSpot's time: an enrollment from then on may be this execution's. If the time is not
 * known yet it stays unknown, since a later one would be too late.
 *
 * The expected state comes with the rows, not as a constant. With a constant the planner may use the index of attempts
 * under way and pass every row that left it since the last vacuum (query-plans.test.ts).
 *
 * @returns how many were stored. Fewer than given means the portal has a new owner: none of them may be sent.
 */
export async function storeIntents(
  owner: Ownership,
  intents: readonly Intent[],
  rotations: readonly RotationState[],
): Promise<number> {
  const { rowCount } = await owner.pool.query({
    name: "store-intents",
    text: `
      WITH ${owner.leaseCte}, intent AS MATERIALIZED (
        SELECT *, 'ATTEMPTING' AS from_state FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::jsonb[])
          AS row (id, sender_user_id, sender_email, sender_choice)
      ), turned AS (
        UPDATE rotation_members m SET current_weight = w.current_weight, picks = w.picks
          FROM unnest($7::bigint[], $8::bigint[], $9::int[], $10::bigint[])
                 AS w (rotation_id, user_id, current_weight, picks), lease
         WHERE m.portal_id = lease.portal_id AND m.rotation_id = w.rotation_id AND m.user_id = w.user_id
      )
      UPDATE executions e
         SET sender_user_id = intent.sender_user_id, sender_email = intent.sender_email,
             sender_choice = CASE WHEN e.contact_id <> '${ERASED_CONTACT}' THEN intent.sender_choice END,
             first_sent_at = CASE WHEN ${IS_FIRST_ATTEMPT} THEN coalesce(e.first_sent_at, $11::timestamptz)
                                  ELSE e.first_sent_at END
        FROM intent, lease
       WHERE e.portal_id = lease.portal_id AND e.id = intent.id AND e.state = intent.from_state AND e.epoch = lease.epoch
      RETURNING e.id`,
    values: [
      owner.portalId,
      owner.epoch,
      intents.map(({ executionId }) => executionId),
      intents.map(({ senderUserId }) => senderUserId),
      intents.map(({ senderEmail }) => senderEmail),
      intents.map(({ senderChoice }) => JSON.stringify(senderChoice)),
      rotations.map(({ rotationId }) => rotationId),
      rotations.map(({ userId }) => userId),
      rotations.map(({ currentWeight }) => currentWeight),
      rotations.map(({ picks }) => picks),
      owner.hubspotNow?.() ?? null,
    ],
  });
  return rowCount ?? 0;
}
