import type { Pool, PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { makeSigningSecret } from "#platform/outbound/sign.js";

/** Seals texts for one column of one portal's row (src/domain/vault/cipher.ts). */
export interface TextCipher {
  seal(plain: string, context: SealedColumn): string;
  /** @throws typed faults if the key is not configured, or the text was altered or moved. */
  open(sealed: string, context: SealedColumn): string;
  isCurrent(sealed: string): boolean;
}

interface SealedColumn {
  portalId: PortalId;
  field: string;
}

const URL_COLUMN = "alert_webhook_sealed";
const SECRET_COLUMN = "alert_secret_sealed";

export function sealWebhookUrl(cipher: TextCipher, portalId: PortalId, url: string): string {
  return cipher.seal(url, { portalId, field: URL_COLUMN });
}

/** @throws as TextCipher.open. */
export function openWebhookUrl(cipher: TextCipher, portalId: PortalId, sealed: string): string {
  return cipher.open(sealed, { portalId, field: URL_COLUMN });
}

/**
 * The secret that a portal's posts are signed with; created on first use. If two processes create it at once, the first
 * one wins.
 *
 * @throws as TextCipher.open.
 */
export async function signingSecret(pool: Pool, cipher: TextCipher, portalId: PortalId): Promise<string> {
  const sealed = cipher.seal(makeSigningSecret(), { portalId, field: SECRET_COLUMN });
  const { rows } = await pool.query<{ sealed: string }>(
    `UPDATE portal_settings SET alert_secret_sealed = coalesce(alert_secret_sealed, $2)
      WHERE portal_id = $1 RETURNING alert_secret_sealed AS sealed`,
    [portalId, sealed],
  );
  return cipher.open(rows[0]?.sealed ?? sealed, { portalId, field: SECRET_COLUMN });
}

/** Stores another secret in place of the one there is (change-alerts.ts). */
export async function storeNewSecret(
  client: PoolClient,
  cipher: TextCipher,
  portalId: PortalId,
): Promise<string> {
  const secret = makeSigningSecret();
  await client.query("UPDATE portal_settings SET alert_secret_sealed = $2 WHERE portal_id = $1", [
    portalId,
    cipher.seal(secret, { portalId, field: SECRET_COLUMN }),
  ]);
  return secret;
}

interface SealedRow {
  portal_id: string;
  url: string | null;
  url_sealed: string | null;
  secret_sealed: string | null;
}

/** What a portal's settings store about its webhook. */
export interface WebhookSeals {
  readonly portalId: PortalId;
  /** In clear text, from an earlier release. */
  readonly url: string | null;
  readonly urlSealed: string | null;
  readonly secretSealed: string | null;
}

/** For every portal that has a webhook, or a secret to sign its posts with. */
export async function listWebhookSeals(pool: Pool): Promise<WebhookSeals[]> {
  const { rows } = await pool.query<SealedRow>(
    `SELECT portal_id, alert_webhook_url AS url, alert_webhook_sealed AS url_sealed, alert_secret_sealed AS secret_sealed
       FROM portal_settings WHERE num_nonnulls(alert_webhook_url, alert_webhook_sealed, alert_secret_sealed) > 0`,
  );
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    url: row.url,
    urlSealed: row.url_sealed,
    secretSealed: row.secret_sealed,
  }));
}

/**
 * Seals an address that an earlier release stored in clear text, and re-seals whatever is not under the first key. Rows
 * changed meanwhile are left as they are: they are new.
 *
 * @returns whether the row was changed.
 * @throws as TextCipher.open.
 */
export async function resealWebhook(pool: Pool, cipher: TextCipher, seals: WebhookSeals): Promise<boolean> {
  const { portalId } = seals;
  const again = (sealed: string | null, field: string): string | null =>
    sealed === null || cipher.isCurrent(sealed)
      ? sealed
      : cipher.seal(cipher.open(sealed, { portalId, field }), { portalId, field });
  const url =
    seals.url === null ? again(seals.urlSealed, URL_COLUMN) : sealWebhookUrl(cipher, portalId, seals.url);
  const secret = again(seals.secretSealed, SECRET_COLUMN);
  if (seals.url === null && url === seals.urlSealed && secret === seals.secretSealed) return false;
  const { rowCount } = await pool.query(
    `UPDATE portal_settings SET alert_webhook_url = NULL, alert_webhook_sealed = $5, alert_secret_sealed = $6
      WHERE portal_id = $1 AND alert_webhook_url IS NOT DISTINCT FROM $2 AND alert_webhook_sealed IS NOT DISTINCT FROM $3
        AND alert_secret_sealed IS NOT DISTINCT FROM $4`,
    [portalId, seals.url, seals.urlSealed, seals.secretSealed, url, secret],
  );
  return rowCount === 1;
}

/**
 * The same for every portal.
 *
 * @returns how many rows were changed.
 * @throws as TextCipher.open, for the first that does not open.
 */
export async function resealWebhooks(pool: Pool, cipher: TextCipher): Promise<number> {
  let changed = 0;
  for (const seals of await listWebhookSeals(pool))
    if (await resealWebhook(pool, cipher, seals)) changed += 1;
  return changed;
}
