import type { Pool, PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { ALERT_CHANNELS, type AlertKind } from "./alert.js";

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
