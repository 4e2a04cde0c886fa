import type { Pool, PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";

/** What an admin is alerted to outside the settings pages. */
export const ALERT_KINDS = [
  "PORTAL_DISCONNECTED",
  "ACCOUNT_CONNECTED",
  "USER_LIST_OLD",
  "DELETION_AHEAD",
  "SENDER_REFUSED",
  "FAILURES_HIGH",
  "BACKLOG_LATE",
  "HOLDS_CUT_SHORT",
  "UNENROLL_BROKEN",
  "SERVICE_FAULT",
  "WEBHOOK_OFF",
  "DIGEST",
  "TEST",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Channels of an alert; each has its own outcome. */
export const ALERT_CHANNELS = ["EMAIL", "WEBHOOK"] as const;
export type AlertChannel = (typeof ALERT_CHANNELS)[number];

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
  /** The portal's domain, from HubSpot; null: not known. */
  readonly timeZone: string | null;
  /** Path on the settings site of the page it is about; */
  readonly page: string | null;
  /** The channel's address, or several for mail, separated by commas; null: the portal has none. */
  readonly address: string | null;
  /** A webhook's address, sealed; null if there is none, or it is still in `address`. */
  readonly sealedAddress: string | null;
  /** The addresses that received it at an earlier try, and those the mail server refused for good, with its words. */
  readonly reached: readonly string[];
  readonly refusals: Readonly<Record<string, string>>;
}

/** PARTLY_SENT: not to every address. FAILED: to none; given up after the last try, or replaced by a newer test. */
export type AlertOutcome = "SENT" | "PARTLY_SENT" | "FAILED" | "NOT_WANTED";

/** The message, and the page of the settings site that shows its subject. */
interface RaisedAlert {
  readonly portalId: PortalId;
  readonly kind: Exclude<AlertKind, "TEST">;
  readonly message: string;
  readonly page?: string;
  /** No second alert of its kind within this time; by default an hour. */
  readonly quietHours?: number;
  /** Instead of that: no second alert of its kind from this time on. */
  readonly onceSince?: Date;
}

/**
 * Writes an alert for every channel; inside a transaction, the alert exists exactly if the event it is about is
 * committed. Another alert of the same kind within the hour, or within `quietHours` or since `onceSince`, is left out: the
 * mark's row decides, also between two processes.
 */
export async function raiseAlert(database: Pool | PoolClient, alert: RaisedAlert): Promise<void> {
  await database.query(
    `WITH marked AS (
       INSERT INTO alert_marks AS mark (portal_id, kind, raised_at) VALUES ($1, $2, now())
       ON CONFLICT (portal_id, kind) DO UPDATE SET raised_at = now()
         WHERE mark.raised_at <= coalesce($7::timestamptz - interval '1 millisecond', now() - $6 * interval '1 hour')
       RETURNING portal_id
     )
     INSERT INTO alerts (portal_id, kind, message, channel, page)
     SELECT marked.portal_id, $2, $3, channel, $5 FROM marked, unnest($4::text[]) AS channel`,
    [
      alert.portalId,
      alert.kind,
      alert.message,
      ALERT_CHANNELS,
      alert.page ?? null,
      alert.quietHours ?? 1,
      alert.onceSince ?? null,
    ],
  );
}

/** Messages beyond this length list nobody more. */
const LONGEST_GATHERED = 4_000;
const AND_OTHERS = "There are more: see the settings pages.";

/** SQL expressions for alerts about something that happens to several in a row. */
export interface GatheredAlertSql {
  /** A CTE with a row of `portal_id` if there is something to report, otherwise none. */
  readonly news: string;
  readonly kind: string;
  readonly message: string;
  /** The page that shows the first, and the one that shows all of them. */
  readonly page: string;
  readonly listPage: string;
  /** Of type text[]: ALERT_CHANNELS. */
  readonly channels: string;
}

/**
 * SQL of a statement's last CTEs and its main query. Like `raiseAlert`, but the first event is reported at once, and
 * all that follow within the hour in one alert at its end, one per line. An event reported within the hour is not
 * reported again.
 *
 * The mark is at the time of the kind's last alert. Alerts of one kind for one portal must be raised one after the
 * other: a concurrent statement would not see what the first one gathered.
 */
export function gatherAlertSql({ news, kind, message, page, listPage, channels }: GatheredAlertSql): string {
  return `
    untold AS (
      SELECT portal_id FROM ${news} WHERE NOT EXISTS (
        SELECT FROM alerts a WHERE a.portal_id = ${news}.portal_id AND a.kind = ${kind} AND a.created_at > now() - interval '1 hour'
           AND ${message} = ANY (string_to_array(a.message, E'\n')))
    ), gathering AS (
      SELECT FROM alerts a JOIN untold USING (portal_id)
       WHERE a.kind = ${kind} AND a.outcome IS NULL AND a.tries = 0 AND a.due_at > now()
    ), mark AS (
      INSERT INTO alert_marks AS m (portal_id, kind, raised_at) SELECT portal_id, ${kind}, now() FROM untold
      ON CONFLICT (portal_id, kind) DO UPDATE SET raised_at = CASE
        WHEN m.raised_at <= now() - interval '1 hour' THEN now()
        WHEN EXISTS (SELECT FROM gathering) THEN m.raised_at
        ELSE m.raised_at + interval '1 hour' END
      RETURNING portal_id, raised_at, raised_at = now()::timestamptz(3) AS is_first
    ), added AS (
      UPDATE alerts a SET message = CASE
          WHEN length(a.message) < ${LONGEST_GATHERED} THEN a.message || E'\n' || ${message}
          WHEN right(a.message, ${AND_OTHERS.length}) = '${AND_OTHERS}' THEN a.message
          ELSE a.message || E'\n' || '${AND_OTHERS}' END
        FROM mark
       WHERE NOT mark.is_first AND a.portal_id = mark.portal_id AND a.kind = ${kind}
         AND a.outcome IS NULL AND a.tries = 0 AND a.due_at > now()
      RETURNING a.id
    )
    INSERT INTO alerts (portal_id, kind, message, channel, page, due_at)
    SELECT mark.portal_id, ${kind}, ${message}, channel, CASE WHEN mark.is_first THEN ${page} ELSE ${listPage} END, mark.raised_at
      FROM mark, unnest(${channels}) AS channel WHERE mark.is_first OR NOT EXISTS (SELECT FROM added)`;
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
                CASE alert.channel WHEN 'EMAIL' THEN settings.alert_email ELSE settings.alert_webhook_url END AS address,
                CASE alert.channel WHEN 'WEBHOOK' THEN settings.alert_webhook_sealed END AS sealed_address`,
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
