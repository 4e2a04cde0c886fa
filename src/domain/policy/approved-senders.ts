import { SENDERS_WHO_SENT } from "#domain/directory/who-sent.js";
import type { Pool } from "pg";
import type { Prisma } from "#platform/db/generated/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { peopleOf } from "#domain/directory/people.js";
import type { ListedSender } from "./mark-senders.js";

/** Whether anyone is approved as a sender: without one, nobody could send once only approved users may. */
export async function isAnyoneApproved(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
): Promise<boolean> {
  return (await transaction.senderSettings.count({ where: { portalId, isAllowed: true } })) > 0;
}

/** Names that are listed; more are counted. */
const NAMED = 5;

/** "Ada Brandt, Hanna Virtanen, and 3 more": the active users who are approved as senders. */
export async function nameApproved(pool: Pool, portalId: PortalId): Promise<string> {
  const { rows } = await pool.query<{ label: string }>(
    `SELECT person.label FROM senders s
       JOIN (${peopleOf()}) AS person ON person.user_id = s.user_id
      WHERE s.portal_id = $1 AND s.is_allowed AND person.is_active ORDER BY lower(person.label), s.user_id`,
    [portalId],
  );
  const names = rows.slice(0, NAMED).map(({ label }) => label);
  return [...names, ...(rows.length > NAMED ? [`and ${rows.length - NAMED} more`] : [])].join(", ");
}

/** In days: whoever has sent since then is a sender the account relies on. */
export const RECENT_DAYS = 30;

/**
 * Active users who sent lately and are not blocked.
 */
export async function listRecentSenders(pool: Pool, portalId: PortalId): Promise<ListedSender[]> {
  const { rows } = await pool.query<{ user_id: string; label: string; version: number }>({
    name: "recent-senders",
    text: `
      WITH RECURSIVE ${SENDERS_WHO_SENT}
      SELECT person.user_id, person.label, coalesce(s.version, 0) AS version FROM sender
        JOIN (${peopleOf()}) AS person ON person.user_id = sender.user_id AND person.is_active
        LEFT JOIN senders s ON s.portal_id = $1 AND s.user_id = sender.user_id
       WHERE s.is_allowed IS DISTINCT FROM false AND EXISTS (
         SELECT FROM executions e WHERE e.portal_id = $1 AND e.enrollment_status = 'ENROLLED'
            AND e.sender_user_id = sender.user_id AND e.enrolled_at >= now() - interval '1 day' * $2::int)
       ORDER BY person.user_id`,
    values: [portalId, RECENT_DAYS],
  });
  return rows.map(({ user_id, label, version }) => ({ userId: BigInt(user_id), name: label, version }));
}
