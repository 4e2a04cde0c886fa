import type { Database } from "../db/client.js";
import { OUTCOME_CONDITIONS, OUTCOMES, outcomeOf, type Outcome } from "./outcome.js";

export interface ExecutionItem {
  id: bigint;
  acceptedAt: Date;
  contactId: string;
  contactEmail: string | null;
  /** Name, or the id where the name is not known. */
  sequence: string | null;
  senderName: string | null;
  senderEmail: string | null;
  outcome: Outcome;
  state: string;
  attempts: number;
  errorCode: string | null;
  errorMessage: string | null;
  /** HubSpot's own words where there are any. */
  lastProblem: string | null;
}

export interface ExecutionFilter {
  outcome: Outcome | undefined;
  /** Only executions with a smaller id: the page after the one that ended here. */
  before: bigint | undefined;
}

export interface ExecutionPage {
  items: ExecutionItem[];
  /** Where the next page begins; undefined on the last one. */
  olderThan: bigint | undefined;
}

const PAGE_SIZE = 25;
/** Rows looked at for one page: a filter that matches next to nothing must not read a portal's whole history. */
const LOOK_BACK = 20_000;
/** Rows counted at most for the day's figures. */
const COUNT_LIMIT = 50_000;
const DAY_MS = 24 * 3_600_000;

interface Row {
  id: string;
  accepted_at: Date;
  contact_id: string;
  contact_email: string | null;
  sequence: string | null;
  sender_name: string | null;
  sender_email: string | null;
  state: string;
  attempts: number;
  enrollment_status: string | null;
  error_code: string | null;
  error_message: string | null;
  last_problem: string | null;
}

/** Newest first, 25 at a time. Ids grow with time, so the primary key gives the order. */
export async function listExecutions(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  { outcome, before }: ExecutionFilter,
): Promise<ExecutionPage> {
  const condition = outcome === undefined ? "true" : OUTCOME_CONDITIONS[outcome];
  const values = [portalId, before ?? null, LOOK_BACK, PAGE_SIZE + 1];
  const { rows } = await pool.query<Row>(listQuery(condition), values);
  const items = rows.slice(0, PAGE_SIZE).map(toItem);
  if (rows.length > PAGE_SIZE) return { items, olderThan: items.at(-1)?.id };
  if (outcome === undefined) return { items, olderThan: undefined };
  return { items, olderThan: await endOfLookBack({ pool }, portalId, before) };
}

/** Of the enroll action; other actions have no enrollment status. `condition` is one of our own constants, never input. */
function listQuery(condition: string): string {
  return `WITH looked_at AS (
      SELECT * FROM executions WHERE portal_id = $1 AND kind = 'ENROLL' AND ($2::bigint IS NULL OR id < $2)
      ORDER BY id DESC LIMIT $3
    ), page AS (SELECT * FROM looked_at WHERE ${condition} ORDER BY id DESC LIMIT $4)
    SELECT page.id, page.accepted_at, page.contact_id, page.contact_email, page.sender_email, page.state, page.attempts,
      page.enrollment_status, page.error_code, page.error_message, page.last_problem,
      coalesce(page.sequence_name, s.name, page.sequence_id) AS sequence,
      nullif(concat_ws(' ', sender.first_name, sender.last_name), '') AS sender_name
    FROM page
    LEFT JOIN sequences s ON s.portal_id = page.portal_id AND s.sequence_id = page.sequence_id
    LEFT JOIN LATERAL (
      SELECT o.first_name, o.last_name FROM owners o
      WHERE o.portal_id = page.portal_id AND o.user_id = page.sender_user_id ORDER BY o.is_archived LIMIT 1
    ) sender ON true
    ORDER BY page.id DESC`;
}

/** The id the look-back stopped at, where there is more behind it. */
async function endOfLookBack(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  before: bigint | undefined,
): Promise<bigint | undefined> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM executions WHERE portal_id = $1 AND kind = 'ENROLL' AND ($2::bigint IS NULL OR id < $2)
     ORDER BY id DESC OFFSET $3 LIMIT 1`,
    [portalId, before ?? null, LOOK_BACK],
  );
  return rows[0] === undefined ? undefined : BigInt(rows[0].id) + 1n;
}

function toItem(row: Row): ExecutionItem {
  return {
    id: BigInt(row.id),
    acceptedAt: row.accepted_at,
    contactId: row.contact_id,
    contactEmail: row.contact_email,
    sequence: row.sequence,
    senderName: row.sender_name,
    senderEmail: row.sender_email,
    outcome: outcomeOf(row.enrollment_status),
    state: row.state,
    attempts: row.attempts,
    errorCode: row.error_code === "" ? null : row.error_code,
    errorMessage: row.error_message === "" ? null : row.error_message,
    lastProblem: row.last_problem === "" ? null : row.last_problem,
  };
}

export interface DayCounts {
  byOutcome: Readonly<Record<Outcome, number>>;
  total: number;
  /** True where the day holds more than was counted. */
  isPartial: boolean;
}

/** Executions of the last 24 hours by outcome. */
export async function countLastDay(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  now: Date,
): Promise<DayCounts> {
  const { rows } = await pool.query<{ enrollment_status: string | null; count: number }>(
    `SELECT enrollment_status, count(*)::int AS count FROM (
       SELECT enrollment_status, accepted_at FROM executions WHERE portal_id = $1 AND kind = 'ENROLL' ORDER BY id DESC LIMIT $3
     ) AS newest WHERE accepted_at >= $2 GROUP BY enrollment_status`,
    [portalId, new Date(now.getTime() - DAY_MS), COUNT_LIMIT],
  );
  const byOutcome = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
  for (const row of rows) byOutcome[outcomeOf(row.enrollment_status)] += row.count;
  const total = rows.reduce((sum, row) => sum + row.count, 0);
  return { byOutcome, total, isPartial: total >= COUNT_LIMIT };
}
