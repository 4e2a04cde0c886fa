import { SENDERS_WHO_SENT } from "#domain/directory/who-sent.js";
import type { Database } from "#platform/db/client.js";
import { peopleOf, unnamed } from "#domain/directory/people.js";
import { DEFAULT_DAILY_CAP } from "#domain/contract/sender-policy.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { DAY_MS } from "#platform/time/units.js";

/** How much of their daily cap a sender has used. */
export interface SenderLoad {
  readonly userId: UserId;
  /** Name, else email, else "User 7". */
  readonly label: string;
  /** Enrollments in the last 24 hours. */
  readonly sent: number;
  readonly cap: number;
}

export interface SenderLoads {
  /** The senders nearest to their cap, nearest first; a few at most. */
  readonly nearest: readonly SenderLoad[];
  /** How many of all senders are near their cap, or at it. */
  readonly nearCount: number;
  /** How many of those have used it up. */
  readonly fullCount: number;
  /** Since when their enrollments are counted. */
  readonly since: Date;
}

/** From this share of the cap, a sender counts as near it. */
const NEAR = 0.8;

/** Whether the cap will be reached soon. */
export function isNearCap({ sent, cap }: Pick<SenderLoad, "sent" | "cap">): boolean {
  return sent >= cap * NEAR;
}

/** The maximum number of senders shown. */
const SHOWN = 5;

interface Row {
  user_id: string;
  sent: number;
  cap: number;
  label: string | null;
  near_count: number;
  full_count: number;
}

/**
 * The senders who are nearest to their cap, nearest first. Counts each sender's last day in the index
 * `executions_sent`, so it costs senders and the day, not the history.
 */
export async function listSenderLoads(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
  now: Date,
): Promise<SenderLoads> {
  const since = new Date(now.getTime() - DAY_MS);
  const { rows } = await pool.query<Row>({
    name: "sender-loads",
    text: `
      WITH RECURSIVE ${SENDERS_WHO_SENT}, load AS (
        SELECT sender.user_id, day.sent, coalesce(s.daily_cap, $2) AS cap,
               count(*) FILTER (WHERE day.sent >= coalesce(s.daily_cap, $2) * $5::float8) OVER ()::int AS near_count,
               count(*) FILTER (WHERE day.sent >= coalesce(s.daily_cap, $2)) OVER ()::int AS full_count
          FROM sender
          CROSS JOIN LATERAL (
            SELECT count(*)::int AS sent FROM executions e
             WHERE e.portal_id = $1 AND e.enrollment_status = 'ENROLLED' AND e.sender_user_id = sender.user_id
               AND e.enrolled_at >= $4) AS day
          LEFT JOIN senders s ON s.portal_id = $1 AND s.user_id = sender.user_id
         WHERE sender.user_id IS NOT NULL AND day.sent > 0
         ORDER BY day.sent::float8 / greatest(coalesce(s.daily_cap, $2), 1) DESC, sender.user_id LIMIT $3
      )
      SELECT load.*, person.label FROM load
        LEFT JOIN LATERAL (${peopleOf("user_id = load.user_id")}) AS person ON true`,
    values: [portalId, DEFAULT_DAILY_CAP, SHOWN, since, NEAR],
  });
  const nearest = rows.map(({ user_id, sent, cap, label }) => ({
    userId: BigInt(user_id),
    label: label ?? unnamed(user_id),
    sent,
    cap,
  }));
  const { near_count: nearCount = 0, full_count: fullCount = 0 } = rows[0] ?? {};
  return { nearest, nearCount, fullCount, since };
}
