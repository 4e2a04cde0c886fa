import type { Pool, PoolClient } from "pg";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { AppError } from "../../errors.js";
import type { WebhookEvent } from "./events.js";

const URL_FIELD = "webhook_url";
const SECRET_FIELD = "webhook_secret";

/** A subscription, as its admins and programs see it. */
export interface Webhook {
  readonly id: bigint;
  /** Null: it cannot be read, because the key that it was sealed with is not configured anymore. */
  readonly url: string | null;
  readonly events: readonly WebhookEvent[];
  readonly description: string;
  readonly status: WebhookStatus;
  /** Why it is switched off; null if it is not. */
  readonly disabledReason: DisabledReason | null;
  /** Since when every try has failed. */
  readonly failingSince: Date | null;
  /** Until when messages are also signed with the secret before; null: there is none. */
  readonly oldSecretUntil: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Grows with every change; a form names the one it was filled in from. */
  readonly version: number;
}

export const WEBHOOK_STATUSES = ["ACTIVE", "DISABLED"] as const;
export type WebhookStatus = (typeof WEBHOOK_STATUSES)[number];

/** FAILING: every try failed for days. GONE: it answered that it is gone for good. */
export type DisabledReason = "BY_REQUEST" | "FAILING" | "GONE";

export interface WebhookRow {
  id: string;
  url_sealed: string;
  events: WebhookEvent[];
  description: string;
  status: WebhookStatus;
  disabled_reason: DisabledReason | null;
  failing_since: Date | null;
  old_secret_until: Date | null;
  created_at: Date;
  updated_at: Date;
  version: number;
}

/** Of `webhook_subscriptions`. */
export const WEBHOOK_COLUMNS = `id, url_sealed, events, description, status, disabled_reason, failing_since,
  CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until, created_at, updated_at, version`;

export const sealUrl = (cipher: TextCipher, portalId: PortalId, url: string): string =>
  cipher.seal(url, { portalId, field: URL_FIELD });

/** @throws as TextCipher.open. */
export const openUrl = (cipher: TextCipher, portalId: PortalId, sealed: string): string =>
  cipher.open(sealed, { portalId, field: URL_FIELD });

export const sealSecret = (cipher: TextCipher, portalId: PortalId, secret: string): string =>
  cipher.seal(secret, { portalId, field: SECRET_FIELD });

/** @throws as TextCipher.open. */
export const openSecret = (cipher: TextCipher, portalId: PortalId, sealed: string): string =>
  cipher.open(sealed, { portalId, field: SECRET_FIELD });

/** The same, or null if it does not open. */
export function readUrl(cipher: TextCipher, portalId: PortalId, sealed: string): string | null {
  try {
    return openUrl(cipher, portalId, sealed);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** What a subscription is called: what comes after the host is as good as a password at most receivers. */
export const hostOf = ({ url }: Pick<Webhook, "url">): string =>
  url === null ? "unreadable address" : new URL(url).host;

export function toWebhook(row: WebhookRow, cipher: TextCipher, portalId: PortalId): Webhook {
  return {
    id: BigInt(row.id),
    url: readUrl(cipher, portalId, row.url_sealed),
    events: row.events,
    description: row.description,
    status: row.status,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since,
    oldSecretUntil: row.old_secret_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

/** Where subscriptions are stored, and what seals their addresses and secrets there. */
export interface WebhookStore {
  readonly database: Pick<Pool | PoolClient, "query">;
  readonly cipher: TextCipher;
}

/** All of the portal's, the oldest first; there are few (change-webhooks.ts). */
export async function listWebhooks(
  { database, cipher }: WebhookStore,
  portalId: PortalId,
): Promise<Webhook[]> {
  const { rows } = await database.query<WebhookRow>(
    `SELECT ${WEBHOOK_COLUMNS} FROM webhook_subscriptions WHERE portal_id = $1 ORDER BY id`,
    [portalId],
  );
  return rows.map((row) => toWebhook(row, cipher, portalId));
}

/** Undefined: the portal has no such subscription. */
export async function findWebhook(
  { database, cipher }: WebhookStore,
  portalId: PortalId,
  id: bigint,
): Promise<Webhook | undefined> {
  const { rows } = await database.query<WebhookRow>(
    `SELECT ${WEBHOOK_COLUMNS} FROM webhook_subscriptions WHERE portal_id = $1 AND id = $2`,
    [portalId, id],
  );
  return rows[0] && toWebhook(rows[0], cipher, portalId);
}
