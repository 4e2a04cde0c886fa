import type { Pool } from "pg";

/** Where a portal's alerts go, and when failures are worth one. */
export interface AlertSettings {
  /** Null: nowhere. */
  webhookUrl: string | null;
  email: string | null;
  /** Contacts not enrolled within an hour from which on an alert is raised; null: never by count. */
  failureCount: number | null;
  /** The same as a share of the hour's contacts, in percent; null: never by share. */
  failurePercent: number | null;
}

/** Settings, and the version of the row they were read at: 0 where none was saved yet. */
export interface StoredAlertSettings extends AlertSettings {
  version: number;
}

interface Row {
  alert_webhook_url: string | null;
  alert_email: string | null;
  alert_failure_count: number | null;
  alert_failure_percent: number | null;
  version: number;
}

export async function findAlertSettings(
  database: Pick<Pool, "query">,
  portalId: bigint,
): Promise<StoredAlertSettings> {
  const { rows } = await database.query<Row>(
    `SELECT alert_webhook_url, alert_email, alert_failure_count, alert_failure_percent, version
       FROM portal_settings WHERE portal_id = $1`,
    [portalId],
  );
  const [row] = rows;
  return {
    webhookUrl: row?.alert_webhook_url ?? null,
    email: row?.alert_email ?? null,
    failureCount: row?.alert_failure_count ?? null,
    failurePercent: row?.alert_failure_percent ?? null,
    version: row?.version ?? 0,
  };
}

/** False where somebody saved since `version` was read: nothing is changed then. */
export async function saveAlertSettings(
  database: Pick<Pool, "query">,
  portalId: bigint,
  { webhookUrl, email, failureCount, failurePercent, version }: StoredAlertSettings,
): Promise<boolean> {
  const { rowCount } = await database.query(
    `INSERT INTO portal_settings AS s
       (portal_id, alert_webhook_url, alert_email, alert_failure_count, alert_failure_percent, version)
     VALUES ($1, $2, $3, $4, $5, 1)
     ON CONFLICT (portal_id) DO UPDATE SET
       alert_webhook_url = excluded.alert_webhook_url, alert_email = excluded.alert_email,
       alert_failure_count = excluded.alert_failure_count, alert_failure_percent = excluded.alert_failure_percent,
       version = s.version + 1, updated_at = now()
       WHERE s.version = $6`,
    [portalId, webhookUrl, email, failureCount, failurePercent, version],
  );
  return rowCount === 1;
}
