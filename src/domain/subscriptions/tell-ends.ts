import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";

/** Any number, the same in every process. */
const LOCK = 5_170_017;

/**
 * An end is known once, by a row that never changes again: what has no message yet is found by that. The worker that notes
 * ends also looks here, every few seconds; it looks back for hours in case it was away. A message that waits has those
 * of the same enrollment before it.
 */
const TELL = `
  INSERT INTO webhook_deliveries (portal_id, subscription_id, type, order_key, execution_id, due_at)
  SELECT f.portal_id, s.id, 'enrollment.ended', 'enrollment:' || f.execution_id, f.execution_id,
         greatest(now(), (SELECT max(w.due_at) FROM webhook_deliveries w
           WHERE w.portal_id = s.portal_id AND w.subscription_id = s.id
             AND w.order_key = 'enrollment:' || f.execution_id AND w.state = 'PENDING'))
    FROM webhook_subscriptions s JOIN followed_enrollments f USING (portal_id)
   WHERE s.status = 'ACTIVE' AND 'enrollment.ended' = ANY (s.events)
     AND f.outcome IS NOT NULL AND f.noted_at > greatest(s.ends_told_since, now() - interval '6 hours')
     AND NOT EXISTS (
       SELECT FROM webhook_deliveries w
        WHERE w.portal_id = s.portal_id AND w.execution_id = f.execution_id AND w.subscription_id = s.id
          AND w.type = 'enrollment.ended')
   ORDER BY f.noted_at, f.execution_id`;

/** Writes the messages of ends that became known. One process at a time: the others leave it. */
export async function tellEnds(pool: Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ is_ours: boolean }>(
      "SELECT pg_try_advisory_xact_lock($1) AS is_ours",
      [LOCK],
    );
    if (rows[0]?.is_ours === true) await client.query(TELL);
  });
}
