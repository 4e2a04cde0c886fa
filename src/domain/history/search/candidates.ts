import type { Pool } from "pg";
import { rowsByAddress } from "#domain/contacts/rows-by-address.js";
import { rowsByPart, SHORTEST_PART } from "#domain/contacts/rows-by-part.js";
import { contactName } from "#domain/contract/actions/contact-name.js";
import {
  beginningPattern,
  filterCondition,
  NO_SENDER,
  partPattern,
  searchedId,
  searchedList,
  type ExecutionFilter,
} from "#domain/contract/execution-filter.js";
import { undecidedRows } from "#domain/contract/undecided.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/**
 * Up to this many matches of an index are fetched one by one; if there are more, the newest are found by reading
 * backward.
 */
export const MOST_CANDIDATES = 5_000;
/** Entries to read from the index of decided executions; they are read without the rows themselves. */
const DECIDED_LOOKED_AT = 100_000;
/** The newest rows in which a part too short for the index is looked for: a few hundred milliseconds. */
export const PARTS_LOOKED_AT = 25_000;

/** The ids a search stays between: from the first, and below the end. */
export interface IdRange {
  readonly firstId: ExecutionId;
  readonly endId: ExecutionId;
}

/** A part of a name or an address that only the newest executions are searched for: the index knows none so short. */
export const isShortPart = (search: string | undefined): boolean =>
  search !== undefined && searchedList(search) === undefined && [...search].length < SHORTEST_PART;

/** Ids of what an index finds at once; undefined if none does, or if it finds too many to know the newest. */
// eslint-disable-next-line max-params
export async function findCandidates(
  pool: Pool,
  portalId: PortalId,
  filter: ExecutionFilter,
  { firstId, endId }: IdRange,
): Promise<ExecutionId[] | undefined> {
  const { search, contactId, outcome, senderUserId } = filter;
  const most = MOST_CANDIDATES + 1;
  const finish = ({ rows }: { rows: { id: string }[] }): ExecutionId[] | undefined =>
    rows.length > MOST_CANDIDATES ? undefined : rows.map(({ id }) => BigInt(id));
  if (filter.ids !== undefined) return filter.ids.map(BigInt);
  if (contactId !== undefined) return finish(await pool.query(BY_CONTACT, [portalId, contactId, most]));
  if (search !== undefined) {
    const list = searchedList(search);
    if (list !== undefined)
      return finish(await pool.query(BY_LIST, [portalId, list.addresses, list.contactIds, most]));
    const values = [
      portalId,
      search,
      beginningPattern(search),
      most,
      searchedId(search) ?? null,
      partPattern(search),
    ];
    return finish(
      isShortPart(search)
        ? await pool.query(BY_SHORT_SEARCH, [...values, firstId, endId])
        : await pool.query(BY_SEARCH, [...values, search.toLowerCase()]),
    );
  }
  if (outcome === "waiting") return finish(await pool.query(UNDECIDED, [portalId, most]));
  const isOfOneSender = senderUserId !== undefined && senderUserId !== NO_SENDER;
  if (filter.enrolledSince !== undefined && isOfOneSender && outcome === "enrolled")
    return finish(await pool.query(SENT_SINCE, [portalId, senderUserId, filter.enrolledSince, most]));
  return filter.decidedSince === undefined ? undefined : findDecided(pool, portalId, filter);
}

/**
 * What was decided since a moment, or in a stretch of time, from the index `executions_results` alone. Also undefined if
 * more was decided then than is read.
 */
async function findDecided(
  pool: Pool,
  portalId: PortalId,
  { decidedSince, decidedUntil, ...filter }: ExecutionFilter,
): Promise<ExecutionId[] | undefined> {
  const { kind, code, outcome, retries, sequenceId, senderUserId, workflowId } = filter;
  const values: unknown[] = [portalId, decidedSince, decidedUntil ?? null];
  const told = { kind, code, outcome, retries, sequenceId, senderUserId, workflowId };
  const { rows } = await pool.query<{ looked_at: number; ids: string[] | null }>(
    `SELECT count(*)::int AS looked_at,
            (array_agg(id) FILTER (WHERE ${filterCondition(told, values)}))[1:${MOST_CANDIDATES + 1}] AS ids
       FROM (SELECT id, kind, enrollment_status, error_code, retry_of, sequence_id, sender_user_id, workflow_id, decided_at
               FROM executions
              WHERE portal_id = $1 AND decided_at >= $2 AND decided_at < coalesce($3::timestamptz, 'infinity') ORDER BY decided_at DESC LIMIT ${DECIDED_LOOKED_AT + 1}) AS entry`,
    values,
  );
  const { looked_at = 0, ids = null } = rows[0] ?? {};
  if (looked_at > DECIDED_LOOKED_AT || (ids ?? []).length > MOST_CANDIDATES) return undefined;
  return (ids ?? []).map(BigInt);
}

/** What a sender sent since a moment: `executions_sent` orders it so. */
const SENT_SINCE = `SELECT id FROM executions
  WHERE portal_id = $1 AND sender_user_id = $2 AND enrollment_status = 'ENROLLED' AND enrolled_at >= $3 LIMIT $4`;

const BY_CONTACT = `SELECT id FROM executions WHERE portal_id = $1 AND contact_id = $2 LIMIT $3`;

/**
 * The ORDER BY fits only the partial indexes of open work: going by its statistics, the planner might otherwise read
 * the whole portal.
 */
const UNDECIDED = `
  ${undecidedRows({ columns: "e.id", portalId: "$1", limit: "$2" })}
  UNION ALL (SELECT id FROM executions WHERE portal_id = $1 AND state = 'WATCHING' ORDER BY due_at, id LIMIT $2)
  LIMIT $2`;

/** What a search finds by its beginning, or as a whole. */
const BY_ID_OR_ADDRESS = `
  (SELECT id FROM executions WHERE portal_id = $1 AND contact_id = $2 LIMIT $4)
  UNION SELECT id FROM executions WHERE portal_id = $1 AND callback_id = $2
  UNION SELECT id FROM executions WHERE portal_id = $1 AND id = $5::bigint
  UNION ${rowsByAddress({ portalId: "$1", condition: "lower(contact_email) LIKE $3", limit: "$4" })}`;

const BY_SEARCH = `
  SELECT id FROM (
    ${BY_ID_OR_ADDRESS}
    UNION ${rowsByPart({ portalId: "$1", part: "$7", pattern: "$6", limit: "$4" })}
  ) AS found LIMIT $4`;

const BY_SHORT_SEARCH = `
  SELECT id FROM (
    ${BY_ID_OR_ADDRESS}
    UNION (SELECT id FROM (
      SELECT id, contact_email, request FROM executions
       WHERE portal_id = $1 AND id >= $7 AND id < $8 ORDER BY id DESC LIMIT ${PARTS_LOOKED_AT}
    ) AS newest WHERE lower(contact_email) LIKE $6 OR lower(${contactName()}) LIKE $6 LIMIT $4)
  ) AS found LIMIT $4`;

const BY_LIST = `
  SELECT id FROM (
    (SELECT id FROM executions WHERE portal_id = $1 AND contact_id = ANY($3::text[]) LIMIT $4)
    UNION ${rowsByAddress({ portalId: "$1", condition: "lower(contact_email) = ANY($2::text[])", limit: "$4" })}
  ) AS found LIMIT $4`;
