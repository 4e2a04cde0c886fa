import type { Pool, PoolClient } from "pg";
import { recordChange } from "#domain/audit/record-change.js";
import { ALERT_CHANNELS } from "#domain/alerts/outbox/alert.js";
import { gatherAlertSql } from "#domain/alerts/outbox/raise.js";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import type { System } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { hostOf, readUrl } from "./webhook.js";

/** An endpoint whose every try failed for so long is not tried anymore. */
export const FAILING_DAYS = 3;

interface Named {
  readonly portalId: PortalId;
  readonly id: bigint;
}

/** What is not delivered yet never will be, unless an admin has it delivered again. */
export async function giveUpPending(
  client: PoolClient,
  { portalId, id }: Named,
  problem: string,
): Promise<void> {
  await client.query(
    `UPDATE webhook_deliveries SET state = 'GIVEN_UP', ended_at = now(), problem = $3
      WHERE portal_id = $1 AND subscription_id = $2 AND state = 'PENDING'`,
    [portalId, id, problem],
  );
}

const SWITCH_OFF = `
  UPDATE webhook_subscriptions SET status = 'DISABLED', disabled_reason = $3, version = version + 1, updated_at = now()
   WHERE portal_id = $1 AND id = $2 AND status = 'ACTIVE'
     AND ($3 = 'GONE' OR failing_since <= now() - interval '${FAILING_DAYS} days')
  RETURNING url_sealed`;

const RAISE = `
  WITH news AS (SELECT $1::bigint AS portal_id), ${gatherAlertSql({
    news: "news",
    kind: "'WEBHOOK_OFF'",
    message: "$2::text",
    page: "'/settings/webhooks/' || $4::bigint",
    listPage: "'/settings/webhooks'",
    channels: "$3::text[]",
  })}`;

const WHY = {
  GONE: "It answered that it is gone for good (410).",
  FAILING: `Every try has failed for ${FAILING_DAYS} days.`,
} as const;

/**
 * Switches an endpoint off that is GONE, or has been FAILING for days, and tells the admins; does nothing to one that is
 * not.
 *
 * @returns whether it was switched off.
 */
export async function switchOff(
  { pool, cipher }: { pool: Pool; cipher: TextCipher },
  { portalId, id }: Named,
  reason: keyof typeof WHY,
): Promise<boolean> {
  const actor: System = { kind: "system", portalId, part: "worker" };
  requireRight(actor, "switchOff");
  return inTransaction(pool, async (client) => {
    // Alerts of one kind are raised one after the other (domain/alerts/outbox.ts).
    await client.query("SELECT FROM portals WHERE portal_id = $1 FOR NO KEY UPDATE", [portalId]);
    const { rows } = await client.query<{ url_sealed: string }>(SWITCH_OFF, [portalId, id, reason]);
    const [row] = rows;
    if (row === undefined) return false;
    await giveUpPending(client, { portalId, id }, `The webhook was switched off. ${WHY[reason]}`);
    const host = hostOf({ url: readUrl(cipher, portalId, row.url_sealed) });
    const message = `The webhook to ${host} was switched off. ${WHY[reason]} What happens until you switch it on again is not sent.`;
    await client.query(RAISE, [portalId, message, ALERT_CHANNELS, id]);
    await recordChange(client, actor, {
      subject: "webhook",
      subjectName: host,
      action: "CHANGED",
      before: { status: "ACTIVE" },
      after: { status: "DISABLED" },
    });
    return true;
  });
}
