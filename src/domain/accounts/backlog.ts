import type { Database } from "#platform/db/client.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { undecidedRows } from "#domain/contract/undecided.js";

/** Contacts that HubSpot holds in workflows for us now. */
export interface Backlog {
  /** Still to be enrolled, or being enrolled. */
  undecided: number;
  /** Waiting for their sequence to end. */
  watching: number;
  /** Decided, but not reported to HubSpot yet. */
  unreported: number;
  /** True if there are more than were counted. */
  isPartial: boolean;
  /** The undecided execution that has waited longest; null if none waits. */
  oldest: OldestWaiting | null;
  /** When the first undecided execution is given up; null if none waits. */
  firstDeadlineAt: Date | null;
}

export interface OldestWaiting {
  id: ExecutionId;
  state: string;
  attempts: number;
  acceptedAt: Date;
  dueAt: Date;
  deadlineAt: Date;
  /** Why it was not enrolled at the last try; null if there was none. */
  lastProblem: string | null;
  /** The day the action names as the earliest; null if it names none. */
  notBefore: Date | null;
}

/** The maximum number of rows to count. */
const COUNT_LIMIT = 50_000;

interface Row {
  undecided: number;
  watching: number;
  unreported: number;
  first_deadline: Date | null;
  id: string | null;
  state: string;
  attempts: number;
  accepted_at: Date;
  due_at: Date;
  deadline_at: Date;
  last_problem: string | null;
  not_before: string | null;
}

const OPEN_COLUMNS = "e.id, e.state, e.attempts, e.accepted_at, e.due_at, e.deadline_at, e.last_problem";

export async function readBacklog({ pool }: Pick<Database, "pool">, portalId: PortalId): Promise<Backlog> {
  const { rows } = await pool.query<Row>(
    `WITH open AS MATERIALIZED (
       ${undecidedRows({ columns: OPEN_COLUMNS, portalId: "$1", limit: "$2" })} LIMIT $2
     )
     SELECT counted.*, oldest.* FROM (
       SELECT (SELECT count(*)::int FROM open) AS undecided, (SELECT min(deadline_at) FROM open) AS first_deadline, (
         SELECT count(*)::int FROM (
           SELECT FROM executions WHERE portal_id = $1 AND state = 'WATCHING' ORDER BY due_at, id LIMIT $2
         ) AS watched
       ) AS watching, (
         SELECT count(*)::int FROM (
           SELECT FROM executions WHERE portal_id = $1 AND state = 'DECIDED' ORDER BY due_at, id LIMIT $2
         ) AS decided
       ) AS unreported
     ) AS counted LEFT JOIN LATERAL (
       SELECT open.*, (SELECT e.request ->> 'notBefore' FROM executions e WHERE e.portal_id = $1 AND e.id = open.id) AS not_before
         FROM open ORDER BY accepted_at, id LIMIT 1
     ) AS oldest ON true`,
    [portalId, COUNT_LIMIT],
  );
  const [row] = rows;
  const { undecided = 0, watching = 0, unreported = 0 } = row ?? {};
  return {
    undecided,
    watching,
    unreported,
    isPartial: [undecided, watching, unreported].some((count) => count >= COUNT_LIMIT),
    oldest: row?.id == null ? null : toOldest(row, row.id),
    firstDeadlineAt: row?.first_deadline ?? null,
  };
}

function toOldest(row: Row, id: string): OldestWaiting {
  return {
    id: BigInt(id),
    state: row.state,
    attempts: row.attempts,
    acceptedAt: row.accepted_at,
    dueAt: row.due_at,
    deadlineAt: row.deadline_at,
    lastProblem: row.last_problem === "" ? null : row.last_problem,
    notBefore: row.not_before === null ? null : new Date(row.not_before),
  };
}
