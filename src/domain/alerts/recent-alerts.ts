import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { AlertChannel, AlertKind, AlertOutcome } from "./outbox/alert.js";

/** One alert, and its result on each channel. */
export interface RecentAlert {
  readonly kind: AlertKind;
  readonly message: string;
  /** Path on the settings site of the page it is about; */
  readonly page: string | null;
  readonly raisedAt: Date;
  readonly deliveries: readonly Delivery[];
}

export interface Delivery {
  readonly channel: AlertChannel;
  /** Null while it is to be sent. */
  readonly outcome: AlertOutcome | null;
  /** Why the last try failed, or which addresses it missed; null if none has failed. */
  readonly lastProblem: string | null;
  /** For a mail that is not yet sent to all addresses: how many have received it. */
  readonly reached: number;
  /** When it is sent, or tried again. */
  readonly dueAt: Date;
  readonly isTried: boolean;
}

interface Row {
  kind: AlertKind;
  message: string;
  page: string | null;
  created_at: Date;
  deliveries: (Omit<Delivery, "dueAt"> & { dueAt: string })[];
}

const SHOWN = 20;
/** Rows to read for them: an alert has one for each channel. */
const LOOKED_AT = 3 * SHOWN;

/** The portal's newest alerts, newest first. Rows of one alert were written by one statement. */
export async function listRecentAlerts(pool: Pool, portalId: PortalId): Promise<RecentAlert[]> {
  const { rows } = await pool.query<Row>(
    `SELECT kind, message, page, created_at,
            json_agg(json_build_object('channel', channel, 'outcome', outcome, 'lastProblem', last_problem,
                                              'reached', cardinality(reached), 'dueAt', due_at, 'isTried', tries > 0)
                     ORDER BY channel) AS deliveries
       FROM (SELECT * FROM alerts WHERE portal_id = $1 ORDER BY id DESC LIMIT $2) AS newest
      GROUP BY kind, message, page, created_at ORDER BY max(id) DESC LIMIT $3`,
    [portalId, LOOKED_AT, SHOWN],
  );
  return rows.map(({ created_at, deliveries, ...alert }) => ({
    ...alert,
    raisedAt: created_at,
    deliveries: deliveries.map(({ dueAt, ...delivery }) => ({ ...delivery, dueAt: new Date(dueAt) })),
  }));
}
