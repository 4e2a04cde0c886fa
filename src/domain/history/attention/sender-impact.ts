import type { Pool } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** How a sender's problem affects contacts. */
export interface SenderImpact {
  /** Contacts that were not enrolled because of this sender, without those that a retry enrolled. */
  readonly notEnrolled: number;
  /** Contacts for whom someone else was chosen because this sender could not send. */
  readonly movedOn: number;
}

/** How many of the newest decisions are searched for a sender who was skipped: it takes a sixth of a second at most. */
const LOOKED_AT = 10_000;

/** Counts among what was decided since then. */
export async function readSenderImpact(
  pool: Pool,
  portalId: PortalId,
  { userId, since }: { userId: UserId; since: Date },
): Promise<SenderImpact> {
  const { rows } = await pool.query<{ not_enrolled: number; moved_on: number }>({
    name: "sender-impact",
    text: `
      WITH decided AS MATERIALIZED (
        SELECT id FROM executions
         WHERE portal_id = $1 AND decided_at >= $3 AND kind = 'ENROLL' AND retry_of IS NULL
         ORDER BY decided_at DESC LIMIT ${LOOKED_AT}
      ), told AS MATERIALIZED (
        SELECT id, sender_user_id, enrollment_status, sender_choice FROM executions
         WHERE portal_id = $1 AND id = ANY (ARRAY(SELECT id FROM decided))
      )
      SELECT count(*) FILTER (WHERE enrollment_status = 'FAILED' AND sender_user_id = $2
                                AND id NOT IN (SELECT retry_of FROM executions
                                                WHERE portal_id = $1 AND retry_of IS NOT NULL AND enrollment_status = 'ENROLLED'))::int AS not_enrolled,
             count(*) FILTER (WHERE enrollment_status = 'ENROLLED' AND sender_user_id <> $2
                                AND sender_choice -> 'passedOver' @> jsonb_build_array(jsonb_build_object('userId', $2::text)))::int AS moved_on
        FROM told`,
    values: [portalId, userId, since],
  });
  const { not_enrolled = 0, moved_on = 0 } = rows[0] ?? {};
  return { notEnrolled: not_enrolled, movedOn: moved_on };
}

/** How many contacts each sender enrolled on each of the last days by the zone's calendar, the oldest day first. */
export async function readSentByDay(
  pool: Pool,
  portalId: PortalId,
  { userIds, days, timeZone }: { userIds: readonly UserId[]; days: number; timeZone: string },
): Promise<ReadonlyMap<string, readonly number[]>> {
  const { rows } = await pool.query<{ user_id: string; day: number; sent: number }>({
    name: "sent-by-day",
    text: `
      WITH today AS (SELECT date_trunc('day', now() AT TIME ZONE $4) AS day)
      SELECT sender_user_id AS user_id,
             $3::int - 1 - extract(day FROM today.day - date_trunc('day', at AT TIME ZONE $4))::int AS day, sum(count)::int AS sent
        FROM today, LATERAL (
          SELECT sender_user_id, date_bin('15 minutes', enrolled_at, '2000-01-01Z') AS at, count(*) AS count
            FROM executions
           WHERE portal_id = $1 AND sender_user_id = ANY ($2::bigint[]) AND enrollment_status = 'ENROLLED'
             AND enrolled_at >= (today.day - ($3::int - 1) * interval '1 day') AT TIME ZONE $4
           GROUP BY 1, 2
        ) AS quarter
       GROUP BY 1, 2`,
    values: [portalId, userIds, days, timeZone],
  });
  const byUser = new Map(userIds.map((userId) => [String(userId), Array.from({ length: days }, () => 0)]));
  for (const { user_id, day, sent } of rows) {
    const counts = byUser.get(user_id);
    if (counts !== undefined && day >= 0 && day < days) counts[day] = sent;
  }
  return byUser;
}
