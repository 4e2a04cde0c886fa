import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { MailRecipient } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { mailLink, readMailLink, type LinkMaker } from "./mail-links.js";
import { addressKey } from "./recipients.js";
import type { TextCipher } from "./webhook-seals.js";

export const UNSUBSCRIBE_PATH = "/alerts/unsubscribe";
const KIND = { path: UNSUBSCRIBE_PATH, field: "alert_opt_out" };

/** An address that gets a portal's alerts. */
export interface Subscription {
  readonly portalId: PortalId;
  readonly address: string;
}

/** The link lets its holder unsubscribe that address, and nothing else; the address is not visible in it. */
export function unsubscribeUrl({ portalId, address }: Subscription, maker: LinkMaker): string {
  return mailLink(KIND, { portalId, text: address }, maker);
}

/** Undefined if the link is not one of ours. */
export function readSubscription(
  cipher: TextCipher,
  query: { account?: unknown; token?: unknown },
): Subscription | undefined {
  const link = readMailLink(KIND, cipher, query);
  return link && { portalId: link.portalId, address: link.text };
}

/** The keys (recipients.ts) of a portal's addresses that opted out of its alerts. */
export async function findOptOuts(pool: Pool | PoolClient, portalId: PortalId): Promise<Set<string>> {
  const { rows } = await pool.query<{ address: string }>(
    "SELECT address FROM alert_opt_outs WHERE portal_id = $1",
    [portalId],
  );
  return new Set(rows.map(({ address }) => addressKey(address)));
}

/** Ends the mails of a portal's alerts to an address, as whoever reads its mail asks, or begins them again. */
export async function changeSubscription(
  pool: Pool,
  recipient: MailRecipient,
  isOut: boolean,
): Promise<void> {
  requireRight(recipient, "changeSubscription");
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      isOut
        ? "INSERT INTO alert_opt_outs (portal_id, address) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        : "DELETE FROM alert_opt_outs WHERE portal_id = $1 AND lower(address) = $2",
      [recipient.portalId, addressKey(recipient.address)],
    );
    if (rowCount === 0) return;
    await recordChange(client, recipient, {
      subject: "alerts",
      subjectName: "Alerts by mail",
      action: isOut ? "UNSUBSCRIBED" : "SUBSCRIBED_AGAIN",
    });
  });
}
