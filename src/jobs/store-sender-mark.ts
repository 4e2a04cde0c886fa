import type { Ownership } from "../executions/claim.js";
import { ERROR_SENTENCES } from "../executions/error-codes.js";
import { ALERT_CHANNELS } from "../alerts/outbox.js";
import { LIMITED_FOR_MS, type SenderRefusalCode } from "../policy/sender-marks.js";

/** A sender as whom HubSpot just refused to enroll. */
export interface RefusedSender {
  readonly userId: bigint;
  readonly email: string;
  readonly code: SenderRefusalCode;
  /** HubSpot's words. */
  readonly message: string;
}

/**
 * Marks a sender whom HubSpot refused, so that contacts pass it over. The first refusal raises an alert, at most one an
 * hour for each sender; being over a limit passes by itself and raises none.
 */
export async function storeSenderRefusal(owner: Ownership, refused: RefusedSender): Promise<void> {
  const isLimit = refused.code === "SENDER_LIMIT_REACHED";
  await owner.pool.query({
    name: "store-sender-refusal",
    text: `
      WITH ${owner.leaseCte}, known AS (
        SELECT s.refused_code FROM senders s, lease WHERE s.portal_id = lease.portal_id AND s.user_id = $3
      ), marked AS (
        INSERT INTO senders AS s (portal_id, user_id, refused_code, refused_message, refused_at, limited_until)
        SELECT portal_id, $3, CASE WHEN NOT $4 THEN $5 END, CASE WHEN NOT $4 THEN $6 END, CASE WHEN NOT $4 THEN now() END,
               CASE WHEN $4 THEN now() + $7 * interval '1 millisecond' END
          FROM lease
        ON CONFLICT (portal_id, user_id) DO UPDATE
          SET refused_code = excluded.refused_code, refused_message = excluded.refused_message,
              refused_at = excluded.refused_at, limited_until = excluded.limited_until
        RETURNING s.portal_id
      )
      INSERT INTO alerts (portal_id, kind, message, channel)
      SELECT marked.portal_id, 'SENDER_REFUSED', $8, channel FROM marked, unnest($9::text[]) AS channel
       WHERE NOT $4 AND NOT EXISTS (SELECT FROM known WHERE refused_code = $5)
         AND NOT EXISTS (SELECT FROM alerts a WHERE a.portal_id = marked.portal_id AND a.kind = 'SENDER_REFUSED'
                            AND a.message = $8 AND a.created_at > now() - interval '1 hour')`,
    values: [
      owner.portalId,
      owner.epoch,
      refused.userId,
      isLimit,
      refused.code,
      refused.message.slice(0, 1_000),
      LIMITED_FOR_MS,
      `HubSpot refuses to enroll contacts as ${refused.email}. ${ERROR_SENTENCES[refused.code]}`,
      ALERT_CHANNELS,
    ],
  });
}

/** An enrollment as this sender succeeded: whatever stood against it is over. */
export async function clearSenderMark(owner: Ownership, userId: bigint): Promise<void> {
  await owner.pool.query({
    name: "clear-sender-mark",
    text: `
      WITH ${owner.leaseCte}
      UPDATE senders s SET refused_code = NULL, refused_message = NULL, refused_at = NULL, limited_until = NULL
        FROM lease WHERE s.portal_id = lease.portal_id AND s.user_id = $3`,
    values: [owner.portalId, owner.epoch, userId],
  });
}
