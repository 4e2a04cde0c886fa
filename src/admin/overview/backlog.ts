import type { Database } from "../../db/client.js";
import { undecidedRows } from "../../executions/undecided.js";

/** Contacts HubSpot holds in workflows for us, now. */
export interface Backlog {
  /** Still to be enrolled, or being enrolled. */
  undecided: number;
  /** Decided; HubSpot could not be told yet. */
  unreported: number;
  /** True where there are more than were counted. */
  isPartial: boolean;
  /** When the undecided one that waits longest was accepted; null where none waits. */
  oldestAcceptedAt: Date | null;
  /** When the first undecided one is given up; null where none waits. */
  firstDeadlineAt: Date | null;
}

/** Rows counted at most. Both parts are read from partial indexes of open executions, never from the history. */
const COUNT_LIMIT = 50_000;

interface Row {
  undecided: number;
  oldest: Date | null;
  first_deadline: Date | null;
  unreported: number;
}

export async function readBacklog({ pool }: Pick<Database, "pool">, portalId: bigint): Promise<Backlog> {
  const { rows } = await pool.query<Row>(
    `SELECT waiting.*, owed.* FROM (
       SELECT count(*)::int AS undecided, min(accepted_at) AS oldest, min(deadline_at) AS first_deadline FROM (
         ${undecidedRows({ columns: "e.accepted_at, e.deadline_at", portalId: "$1", limit: "$2" })} LIMIT $2
       ) AS open
     ) AS waiting, (
       SELECT count(*)::int AS unreported FROM (
         SELECT FROM executions WHERE portal_id = $1 AND state = 'DECIDED' ORDER BY due_at, id LIMIT $2
       ) AS decided
     ) AS owed`,
    [portalId, COUNT_LIMIT],
  );
  const { undecided = 0, unreported = 0, oldest = null, first_deadline = null } = rows[0] ?? {};
  return {
    undecided,
    unreported,
    isPartial: undecided >= COUNT_LIMIT || unreported >= COUNT_LIMIT,
    oldestAcceptedAt: oldest,
    firstDeadlineAt: first_deadline,
  };
}
