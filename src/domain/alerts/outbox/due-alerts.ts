import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";
import type { AlertChannel, AlertKind, AlertOutcome } from "./alert.js";

/** An alert that is due now. */
export interface DueAlert {
  readonly portalId: PortalId;
  readonly id: bigint;
  readonly kind: AlertKind;
  readonly channel: AlertChannel;
  readonly message: string;
  readonly createdAt: Date;
  /** Number of this try. */
  readonly tries: number;
  /** The account's, as HubSpot says; null: not known. */
  readonly timeZone: string | null;
  /** Path of the page of the settings site that it is about; null: none. */
  readonly page: string | null;
  /** The channel's address, or several for mail, separated by commas; null: the portal has none, or does not want the kind. */
  readonly address: string | null;
  /** A webhook's address, sealed; null if there is none, or it is still in `address`. */
  readonly sealedAddress: string | null;
  /** The addresses that received it at an earlier try, and those the mail server refused for good, with its words. */
  readonly reached: readonly string[];
  readonly refusals: Readonly<Record<string, string>>;
}

interface DueRow {
  portal_id: string;
  id: string;
  kind: AlertKind;
  channel: AlertChannel;
  message: string;
  page: string | null;
  created_at: Date;
  tries: number;
  time_zone: string | null;
  address: string | null;
  sealed_address: string | null;
  reached: string[] | null;
  refusals: Record<string, string>;
}

/**
 * Claims up to `limit` due alerts for `claimSeconds`: if a process dies while it delivers, another one tries again
 * after that, so an alert may arrive twice but is not lost.
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
      RETURNING alert.portal_id, alert.id, alert.kind, alert.channel, alert.message, alert.page, alert.created_at, alert.tries,
                alert.reached, alert.refusals,
                (SELECT time_zone FROM portals WHERE portals.portal_id = alert.portal_id) AS time_zone,
                CASE WHEN alert.kind = ANY (settings.alert_off_kinds) THEN NULL
                     WHEN alert.channel = 'EMAIL' THEN settings.alert_email ELSE settings.alert_webhook_url END AS address,
                CASE WHEN alert.channel = 'WEBHOOK' AND NOT alert.kind = ANY (coalesce(settings.alert_off_kinds, '{}'))
                     THEN settings.alert_webhook_sealed END AS sealed_address`,
    values: [limit, claimSeconds],
  });
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    id: BigInt(row.id),
    kind: row.kind,
    channel: row.channel,
    message: row.message,
    page: row.page,
    createdAt: row.created_at,
    tries: row.tries,
    timeZone: row.time_zone,
    address: row.address,
    sealedAddress: row.sealed_address,
    reached: row.reached ?? [],
    refusals: row.refusals,
  }));
}

/**
 * The final result for one address of a mail: `refusal` holds the server's words, or is undefined if the address
 * received it.
 */
export interface SettledAddress {
  readonly address: string;
  readonly refusal?: string | undefined;
}

/**
 * Stores the result for one address at once, so that it is not mailed again, and extends this process's claim on the
 * alert by `claimSeconds`.
 *
 * @returns false if the alert is not this process's anymore: another one claimed it after the claim expired, or it was
 *   replaced.
 */
export async function settleAddress(
  pool: Pool,
  alert: DueAlert,
  { address, refusal, claimSeconds }: SettledAddress & { claimSeconds: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE alerts SET due_at = now() + $6 * interval '1 second',
       reached = CASE WHEN $5::text IS NULL THEN array_append(reached, $4::text) ELSE reached END,
       refusals = CASE WHEN $5::text IS NULL THEN refusals ELSE refusals || jsonb_build_object($4::text, $5::text) END
     WHERE portal_id = $1 AND id = $2 AND tries = $3 AND outcome IS NULL`,
    [
      alert.portalId,
      alert.id,
      alert.tries,
      address,
      refusal === undefined ? null : cutText(refusal, LONGEST_REFUSAL),
      claimSeconds,
    ],
  );
  return rowCount === 1;
}

const LONGEST_REFUSAL = 200;
const LONGEST_PROBLEM = 600;

/** The result of a delivery: final with an outcome, or to be tried again. */
export type TryEnd =
  | { readonly outcome: AlertOutcome; readonly problem?: string | undefined }
  | { readonly retryInMs: number; readonly problem: string };

/** Ends an alert, or postpones it; does nothing if it is not this process's anymore. */
export async function endTry(pool: Pool, alert: DueAlert, end: TryEnd): Promise<void> {
  const [outcome, retryInMs] = "outcome" in end ? [end.outcome, 0] : [null, end.retryInMs];
  await pool.query(
    `UPDATE alerts SET last_problem = $4, due_at = now() + $6::float8 * interval '1 millisecond', outcome = $5::text,
       ended_at = CASE WHEN $5::text IS NOT NULL THEN now() END
     WHERE portal_id = $1 AND id = $2 AND tries = $3 AND outcome IS NULL`,
    [
      alert.portalId,
      alert.id,
      alert.tries,
      end.problem === undefined ? null : cutText(end.problem, LONGEST_PROBLEM),
      outcome,
      retryInMs,
    ],
  );
}
