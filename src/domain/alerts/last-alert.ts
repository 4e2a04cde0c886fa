import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { AlertChannel, AlertKind, AlertOutcome } from "./outbox/alert.js";

/** The state of a channel's newest alert, for the settings pages. */
export interface LastAlert {
  readonly kind: AlertKind;
  readonly raisedAt: Date;
  readonly tries: number;
  /** When the next delivery is due, while `outcome` is null. */
  readonly nextTryAt: Date;
  /** Why the last delivery failed, or which addresses it missed; null if none has failed. */
  readonly lastProblem: string | null;
  /** For a mail that is not yet sent to all addresses: how many have received it. */
  readonly reached: number;
  readonly outcome: AlertOutcome | null;
  readonly endedAt: Date | null;
}

interface Row {
  kind: AlertKind;
  created_at: Date;
  tries: number;
  due_at: Date;
  last_problem: string | null;
  reached: number;
  outcome: AlertOutcome | null;
  ended_at: Date | null;
}

/** Undefined if the portal */
export async function findLastAlert(
  pool: Pool,
  portalId: PortalId,
  channel: AlertChannel,
): Promise<LastAlert | undefined> {
  const { rows } = await pool.query<Row>(
    `SELECT kind, created_at, tries, due_at, last_problem, cardinality(reached) AS reached, outcome, ended_at
     FROM alerts WHERE portal_id = $1 AND channel = $2 ORDER BY id DESC LIMIT 1`,
    [portalId, channel],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    kind: row.kind,
    raisedAt: row.created_at,
    tries: row.tries,
    nextTryAt: row.due_at,
    lastProblem: row.last_problem,
    reached: row.reached,
    outcome: row.outcome,
    endedAt: row.ended_at,
  };
}
