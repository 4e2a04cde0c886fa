import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { AlertKind } from "./outbox/alert.js";
import { openWebhookUrl, sealWebhookUrl, type TextCipher } from "./webhook-seals.js";

/** Where a portal's alerts go, and which failures raise one. */
export interface AlertSettings {
  /** Null: nowhere. */
  webhookUrl: string | null;
  email: string | null;
  /** Number of contacts not enrolled within an hour that raises an alert; null: no alert by count. */
  failureCount: number | null;
  /** The same as a share of the hour's contacts, in percent; null: no alert by share. */
  failurePercent: number | null;
  /** A summary of the day or the week before; null: none. */
  digest: DigestPeriod | null;
  /** Kinds that are not sent; left out of a change: as they are. */
  offKinds?: readonly SwitchableAlert[];
}

/** Kinds that an admin can do without. Who has the account, and whether it is connected, is always told. */
export const SWITCHABLE_ALERTS = [
  "SENDER_REFUSED",
  "BACKLOG_LATE",
  "HOLDS_CUT_SHORT",
  "UNENROLL_BROKEN",
  "WEBHOOK_OFF",
  "SERVICE_FAULT",
] as const satisfies readonly AlertKind[];
export type SwitchableAlert = (typeof SWITCHABLE_ALERTS)[number];

export const DIGEST_PERIODS = ["DAILY", "WEEKLY"] as const;
export type DigestPeriod = (typeof DIGEST_PERIODS)[number];

/** Undefined for what is not one. */
export const digestPeriodOf = (text: string | null): DigestPeriod | undefined =>
  DIGEST_PERIODS.find((period) => period === text);

/** Settings, and the version of the row they were read at: 0 if none was saved yet. */
export interface StoredAlertSettings extends AlertSettings {
  offKinds: readonly SwitchableAlert[];
  version: number;
}

interface Row {
  alert_webhook_sealed: string | null;
  alert_webhook_url: string | null;
  alert_email: string | null;
  alert_failure_count: number | null;
  alert_failure_percent: number | null;
  alert_digest: string | null;
  alert_off_kinds: string[] | null;
  version: number;
}

/** Where they are stored, and what seals the address of the webhook there. */
export interface AlertStore {
  readonly database: Pick<Pool, "query">;
  readonly cipher: TextCipher;
}

export async function findAlertSettings(
  { database, cipher }: AlertStore,
  portalId: PortalId,
): Promise<StoredAlertSettings> {
  const { rows } = await database.query<Row>(
    `SELECT alert_webhook_url, alert_webhook_sealed, alert_email, alert_failure_count, alert_failure_percent, alert_digest,
            alert_off_kinds, version
       FROM portal_settings WHERE portal_id = $1`,
    [portalId],
  );
  const [row] = rows;
  const sealed = row?.alert_webhook_sealed ?? null;
  return {
    webhookUrl: sealed === null ? (row?.alert_webhook_url ?? null) : openWebhookUrl(cipher, portalId, sealed),
    email: row?.alert_email ?? null,
    failureCount: row?.alert_failure_count ?? null,
    failurePercent: row?.alert_failure_percent ?? null,
    digest: digestPeriodOf(row?.alert_digest ?? null) ?? null,
    offKinds: SWITCHABLE_ALERTS.filter((kind) => row?.alert_off_kinds?.includes(kind)),
    version: row?.version ?? 0,
  };
}

/** False if someone saved since `version` was read; then nothing changes. */
// eslint-disable-next-line house/audited-verbs -- a part of changeAlerts
export async function saveAlertSettings(
  { database, cipher }: AlertStore,
  portalId: PortalId,
  { webhookUrl, email, failureCount, failurePercent, digest, offKinds, version }: StoredAlertSettings,
): Promise<boolean> {
  const sealed = webhookUrl === null ? null : sealWebhookUrl(cipher, portalId, webhookUrl);
  const { rowCount } = await database.query(
    `INSERT INTO portal_settings AS s
       (portal_id, alert_webhook_sealed, alert_email, alert_failure_count, alert_failure_percent, version, alert_digest, alert_off_kinds)
     VALUES ($1, $2, $3, $4, $5, 1, $7, $8)
     ON CONFLICT (portal_id) DO UPDATE SET
       alert_webhook_sealed = excluded.alert_webhook_sealed, alert_webhook_url = NULL, alert_email = excluded.alert_email,
       alert_failure_count = excluded.alert_failure_count, alert_failure_percent = excluded.alert_failure_percent,
       alert_digest = excluded.alert_digest, alert_off_kinds = excluded.alert_off_kinds, version = s.version + 1, updated_at = now()
       WHERE s.version = $6`,
    [portalId, sealed, email, failureCount, failurePercent, version, digest, offKinds],
  );
  return rowCount === 1;
}
