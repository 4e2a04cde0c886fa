import { ALERT_CHANNELS } from "#domain/alerts/outbox/alert.js";
import { gatherAlertSql } from "#domain/alerts/outbox/raise.js";
import type { Ownership } from "#domain/executions/claim.js";
import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import { LIMITED_FOR_MS, type SenderRefusalCode } from "#domain/senders/sender-blocks.js";
import { tellNews } from "#domain/subscriptions/tell.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { assertOwner } from "#platform/queue/portal-lease.js";
import { cutText } from "#platform/text/storable-text.js";

/** A sender with whom HubSpot has just refused to enroll. */
export interface RefusedSender {
  readonly userId: UserId;
  readonly email: string;
  readonly code: SenderRefusalCode;
  /** HubSpot's message. */
  readonly message: string;
}

const isLimit = ({ code }: RefusedSender): boolean => code === "SENDER_LIMIT_REACHED";

/** `known`: the same refusal was there before. Does nothing unless the lease holds. */
const storeRefusal = (leaseCte: string): string => `
  WITH ${leaseCte}, known AS (
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
  ), news AS (
    SELECT portal_id FROM marked WHERE NOT $4 AND NOT EXISTS (SELECT FROM known WHERE refused_code = $5)
  ), ${tellNews("news", { type: "'sender.refused'", orderKey: "'sender:' || $3::bigint", data: "$11::jsonb" })}, ${gatherAlertSql(
    {
      news: "news",
      kind: "'SENDER_REFUSED'",
      message: "$8::text",
      page: "$9::text",
      listPage: "'/settings/senders?show=troubled'",
      channels: "$10::text[]",
    },
  )}`;

/**
 * Blocks a sender that HubSpot refused, so that contacts skip it. The first refusal raises an alert: at once or, if one
 * was raised within the hour, at the end of that hour together with the other refused senders. A sender over its limit
 * recovers without help and raises none.
 *
 * One statement, since it holds the lease's row, for which a successor would wait. A portal's owner stores one after
 * another (domain/alerts/outbox.ts says why).
 *
 * @throws LeaseLost if the portal has a new owner.
 */
export async function storeSenderRefusal(owner: Ownership, refused: RefusedSender): Promise<void> {
  await owner.pool.query({
    name: "store-sender-refusal",
    text: storeRefusal(owner.leaseCte),
    values: [
      owner.portalId,
      owner.epoch,
      refused.userId,
      isLimit(refused),
      refused.code,
      cutText(refused.message, 1_000),
      LIMITED_FOR_MS,
      `${refused.email} can't send. ${ERROR_SENTENCES[refused.code]}`,
      `/settings/senders/${refused.userId}#refusal`,
      ALERT_CHANNELS,
      JSON.stringify({
        userId: refused.userId.toString(),
        email: refused.email,
        reason: { code: refused.code, message: ERROR_SENTENCES[refused.code] },
      }),
    ],
  });
  await assertOwner(owner);
}

/**
 * An enrollment with this sender succeeded: its block is over.
 *
 * @throws LeaseLost if the portal has a new owner.
 */
export async function clearSenderBlock(owner: Ownership, userId: UserId): Promise<void> {
  await owner.pool.query({
    name: "clear-sender-mark",
    text: `
      WITH ${owner.leaseCte}
      UPDATE senders s SET refused_code = NULL, refused_message = NULL, refused_at = NULL, limited_until = NULL
        FROM lease WHERE s.portal_id = lease.portal_id AND s.user_id = $3`,
    values: [owner.portalId, owner.epoch, userId],
  });
  await assertOwner(owner);
}
