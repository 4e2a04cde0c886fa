import type { Pool } from "pg";
import { peopleOf, unnamed } from "#domain/directory/people.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { chosenCondition, filterCondition, type ExecutionFilter } from "#domain/contract/execution-filter.js";
import { ELIGIBLE, type AdminAction } from "./admin-actions.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { heldAgainst, isMended } from "./attention/mended.js";

/** What an action would change now, and what it would change in vain. */
export interface BulkPreview {
  /** How many executions. */
  readonly matching: number;
  /** Set if not all were counted: only executions accepted since then were. */
  readonly countedTo: Date | undefined;
  /** For a retry: what would fail again, the most frequent first. */
  readonly unchanged: readonly UnchangedCause[];
}

/** A reason that still holds, as far as is known here: another try would meet it again. */
export interface UnchangedCause {
  readonly code: ErrorCode;
  /** Null: it is the contact's own. */
  readonly sender: { readonly userId: string; readonly name: string } | null;
  readonly contacts: number;
}

interface Asked {
  readonly action: AdminAction;
  readonly filter: ExecutionFilter;
}

/** The maximum number of rows to count; the job itself continues to the end. */
const LOOK_BACK = 25_000;

export async function previewBulk(pool: Pool, portalId: PortalId, asked: Asked): Promise<BulkPreview> {
  const { action, filter } = asked;
  const values: unknown[] = [portalId, LOOK_BACK];
  const condition = filterCondition(filter, values);
  const { rows } = await pool.query<{ matching: number; looked_at: number; oldest: Date | null }>(
    `SELECT count(*) FILTER (WHERE ${condition} AND ${ELIGIBLE[action]})::int AS matching, count(*)::int AS looked_at,
            min(accepted_at) AS oldest
       FROM (${newest(filter)}) AS newest`,
    values,
  );
  const { matching = 0, looked_at = 0, oldest = null } = rows[0] ?? {};
  const isAll =
    looked_at < LOOK_BACK ||
    (filter.since !== undefined && oldest !== null && oldest.getTime() < Date.parse(filter.since));
  return {
    matching,
    countedTo: isAll || oldest === null ? undefined : oldest,
    unchanged: action === "RETRY" && matching > 0 ? await readUnchanged(pool, portalId, asked) : [],
  };
}

function newest(filter: ExecutionFilter): string {
  return `SELECT * FROM executions WHERE portal_id = $1 ${chosenCondition(filter)} ORDER BY id DESC LIMIT $2`;
}

const OF_SENDERS: readonly ErrorCode[] = [
  "INBOX_NOT_CONNECTED",
  "SENDER_NOT_PERMITTED",
  "SENDER_NOT_ALLOWED",
  "SENDER_LIMIT_REACHED",
];
/** Only the contact can change them. */
const OF_CONTACTS: readonly ErrorCode[] = ["UNSUBSCRIBED", "BOUNCED"];

const quoted = (codes: readonly string[]): string => codes.map((code) => `'${code}'`).join(", ");

async function readUnchanged(
  pool: Pool,
  portalId: PortalId,
  { action, filter }: Asked,
): Promise<UnchangedCause[]> {
  const values: unknown[] = [portalId, LOOK_BACK];
  const condition = filterCondition(filter, values);
  const { rows } = await pool.query<{
    code: ErrorCode;
    sender_user_id: string | null;
    name: string | null;
    contacts: number;
  }>(
    `WITH cause AS (
       SELECT error_code AS code, CASE WHEN error_code IN (${quoted(OF_SENDERS)}) THEN sender_user_id END AS sender_user_id,
              count(*)::int AS contacts
         FROM (${newest(filter)}) AS newest
        WHERE ${condition} AND ${ELIGIBLE[action]}
          AND (error_code IN (${quoted(OF_CONTACTS)}) OR error_code IN (${quoted(OF_SENDERS)}) AND sender_user_id IS NOT NULL)
        GROUP BY 1, 2
     )
     SELECT cause.code, cause.sender_user_id, cause.contacts,
            (SELECT name FROM (${peopleOf("user_id = cause.sender_user_id")}) AS person) AS name
       FROM cause ${heldAgainst("cause")}
      WHERE NOT ${isMended("cause")} ORDER BY cause.contacts DESC, cause.code, cause.sender_user_id`,
    values,
  );
  return rows.map(({ code, sender_user_id: userId, name, contacts }) => ({
    code,
    sender: userId === null ? null : { userId, name: name ?? unnamed(userId) },
    contacts,
  }));
}
