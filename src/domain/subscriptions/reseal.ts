import type { Pool } from "pg";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { openSecret, openUrl, sealSecret, sealUrl } from "./webhook.js";

/** What a subscription stores sealed. */
export interface SubscriptionSeals {
  readonly portalId: PortalId;
  readonly id: bigint;
  readonly url: string;
  readonly secret: string;
  readonly oldSecret: string | null;
}

export async function listSubscriptionSeals(pool: Pool): Promise<SubscriptionSeals[]> {
  const { rows } = await pool.query<{
    portal_id: string;
    id: string;
    url_sealed: string;
    secret_sealed: string;
    old_secret_sealed: string | null;
  }>("SELECT portal_id, id, url_sealed, secret_sealed, old_secret_sealed FROM webhook_subscriptions");
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    id: BigInt(row.id),
    url: row.url_sealed,
    secret: row.secret_sealed,
    oldSecret: row.old_secret_sealed,
  }));
}

/**
 * Seals again whatever is not under the first key. A row that was changed meanwhile is left as it is: it is new.
 *
 * @returns whether the row was changed.
 * @throws as TextCipher.open.
 */
export async function resealSubscription(
  pool: Pool,
  cipher: TextCipher,
  { portalId, id, url, secret, oldSecret }: SubscriptionSeals,
): Promise<boolean> {
  const isCurrent = [url, secret, oldSecret].every((sealed) => sealed === null || cipher.isCurrent(sealed));
  if (isCurrent) return false;
  const secretAgain = (sealed: string) => sealSecret(cipher, portalId, openSecret(cipher, portalId, sealed));
  const { rowCount } = await pool.query(
    `UPDATE webhook_subscriptions SET url_sealed = $3, secret_sealed = $4, old_secret_sealed = $5
      WHERE portal_id = $1 AND id = $2 AND url_sealed = $6 AND secret_sealed = $7
        AND old_secret_sealed IS NOT DISTINCT FROM $8`,
    [
      portalId,
      id,
      sealUrl(cipher, portalId, openUrl(cipher, portalId, url)),
      secretAgain(secret),
      oldSecret === null ? null : secretAgain(oldSecret),
      url,
      secret,
      oldSecret,
    ],
  );
  return rowCount === 1;
}

/** The same for all. @returns how many rows were changed. @throws as TextCipher.open, for the first that does not open. */
export async function resealSubscriptions(pool: Pool, cipher: TextCipher): Promise<number> {
  let changed = 0;
  for (const seals of await listSubscriptionSeals(pool))
    if (await resealSubscription(pool, cipher, seals)) changed += 1;
  return changed;
}
