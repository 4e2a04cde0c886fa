import type { Pool, PoolClient } from "pg";

/** What an admin is told of outside the settings page. */
export type AlertKind = "PORTAL_DISCONNECTED" | "SENDER_REFUSED" | "TEST";

/** An alert to be posted now. */
export interface DueAlert {
  readonly portalId: bigint;
  readonly id: bigint;
  readonly kind: AlertKind;
  readonly message: string;
  readonly createdAt: Date;
  /** Deliveries tried, this one included. */
  readonly tries: number;
  /** Where to post it; null: the portal wants none. */
  readonly webhookUrl: string | null;
}

/** FAILED: given up after the last try, or replaced by a newer test. */
export type AlertOutcome = "SENT" | "FAILED" | "NOT_WANTED";

/** Writes an alert; in a transaction, it is raised exactly if what it tells of is committed. */
export async function raiseAlert(
  database: Pool | PoolClient,
  alert: { portalId: bigint; kind: AlertKind; message: string },
): Promise<void> {
  await database.query(`INSERT INTO alerts (portal_id, kind, message) VALUES ($1, $2, $3)`, [
    alert.portalId,
    alert.kind,
    alert.message,
  ]);
}

interface DueRow {
  portal_id: string;
  id: string;
  kind: AlertKind;
  message: string;
  created_at: Date;
  tries: number;
  webhook_url: string | null;
}

/**
 * Claims up to `limit` due alerts for `claimSeconds`: a process that dies while it posts lets another one try again
 * then, so an alert may arrive twice but is not lost.
 */
export async function claimDueAlerts(
  pool: Pool,
  { limit, claimSeconds }: { limit: number; claimSeconds: number },
): Promise<DueAlert[]> {
  const { rows } = await pool.query<DueRow>({
    name: "claim-due-alerts",
    text: `
      WITH due AS (
        SELECT portal_id, id FROM alerts WHERE outcome IS NULL AND due_at <= now()
         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
      )
      UPDATE alerts AS alert SET tries = alert.tries + 1, due_at = now() + $2 * interval '1 second'
        FROM due LEFT JOIN portal_settings AS settings USING (portal_id)
       WHERE alert.portal_id = due.portal_id AND alert.id = due.id
      RETURNING alert.portal_id, alert.id, alert.kind, alert.message, alert.created_at, alert.tries,
                settings.alert_webhook_url AS webhook_url`,
    values: [limit, claimSeconds],
  });
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    id: BigInt(row.id),
    kind: row.kind,
    message: row.message,
    createdAt: row.created_at,
    tries: row.tries,
    webhookUrl: row.webhook_url,
  }));
}

/** Ends an alert that needs no further delivery. */
export async function endAlert(
  pool: Pool,
  alert: DueAlert,
  outcome: Exclude<AlertOutcome, "FAILED">,
): Promise<void> {
  await pool.query(`UPDATE alerts SET outcome = $3, ended_at = now() WHERE portal_id = $1 AND id = $2`, [
    alert.portalId,
    alert.id,
    outcome,
  ]);
}

/** What a delivery that failed leaves behind: the reason, for the settings page, and when it is tried again, if ever. */
export interface FailedDelivery {
  readonly problem: string;
  /** Undefined: given up. */
  readonly retryInMs: number | undefined;
}

/** Puts an alert off, or gives it up. */
export async function noteFailedDelivery(
  pool: Pool,
  alert: DueAlert,
  { problem, retryInMs }: FailedDelivery,
): Promise<void> {
  await pool.query(
    `UPDATE alerts SET last_problem = $3,
       due_at = now() + coalesce($4::float8, 0) * interval '1 millisecond',
       outcome = CASE WHEN $4::float8 IS NULL THEN 'FAILED' END,
       ended_at = CASE WHEN $4::float8 IS NULL THEN now() END
     WHERE portal_id = $1 AND id = $2 AND outcome IS NULL`,
    [alert.portalId, alert.id, problem.slice(0, 300), retryInMs ?? null],
  );
}
