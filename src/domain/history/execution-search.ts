import type { Pool } from "pg";
import {
  beginningPattern,
  filterCondition,
  OUTCOME_CONDITIONS,
  partPattern,
  searchedId,
  searchedList,
  type ExecutionFilter,
} from "#domain/contract/execution-filter.js";
import { contactName } from "#domain/contract/actions/contact-name.js";
import { rowsByAddress } from "#domain/contacts/rows-by-address.js";
import { undecidedRows } from "#domain/contract/undecided.js";
import { idAt, TIME_MARGIN_MS } from "#domain/executions/id-at.js";
import type { Position } from "./activity-query.js";
import { totalsOf, type ActivityTotals, type TotalRow } from "./search/activity-totals.js";
import { EXECUTION_COLUMNS, toItem, type ExecutionItem, type ItemRow } from "./execution-item.js";

export interface ActivityPage {
  /** Newest first. */
  readonly items: ExecutionItem[];
  /** The next page begins below this id; undefined if nothing older is left. */
  readonly olderThan: bigint | undefined;
  /** The page before begins above this id; undefined on the first page. */
  readonly newerThan: bigint | undefined;
  /** Set if the search stopped before it filled the page or reached the end: how far it got. */
  readonly searchedTo: Date | undefined;
}

/** A search that can be paged through in either direction. */
export interface ExecutionSearch {
  read(position: Position, pageSize: number): Promise<ActivityPage>;
  /** What the whole search finds, by result and reason. */
  count(): Promise<ActivityTotals>;
  /** Of a list, the addresses and contact ids that no call was ever for; undefined: it is no list. */
  missing(): Promise<readonly string[] | undefined>;
  /** Parts of names and addresses were looked for only in what was accepted since then; undefined: in everything. */
  readonly partsSince: Date | undefined;
}

/** Rows read for one page: a filter that matches next to nothing must not read a portal's whole history. */
const LOOK_BACK = 25_000;
/**
 * Up to so many matches of an index are fetched one by one; if there are more, the newest are found by reading
 * backward.
 */
const MOST_CANDIDATES = 5_000;
/** Entries to read from the index of decided executions; they are read without the rows themselves. */
const DECIDED_LOOKED_AT = 100_000;
const HIGHEST_ID = 2n ** 63n - 1n;
/** The newest rows in which parts of names and addresses are looked for, which no index finds: a few hundred milliseconds. */
const PARTS_LOOKED_AT = LOOK_BACK;

/** The rows a search runs over, and the ids it stays between. */
interface Source {
  readonly candidates: readonly bigint[] | undefined;
  readonly filter: ExecutionFilter;
  readonly firstId: bigint;
  readonly endId: bigint;
}

/**
 * Finds executions of one portal by a filter, newest first and in bounded time, however long the history: exact values
 * come from an index, the rest from reading backward a limited number of rows at a time.
 */
export async function searchExecutions(
  pool: Pool,
  portalId: bigint,
  filter: ExecutionFilter,
): Promise<ExecutionSearch> {
  const [firstId, endId] = await Promise.all([
    idAt(pool, portalId, shifted(filter.since, -TIME_MARGIN_MS)),
    idAt(pool, portalId, shifted(filter.until, TIME_MARGIN_MS)),
  ]);
  const bounds = { firstId: firstId ?? 0n, endId: endId ?? HIGHEST_ID };
  const candidates = await findCandidates(pool, portalId, filter, bounds);
  const search = { pool, portalId, source: { candidates, filter, ...bounds } };
  const isByParts = candidates !== undefined && filter.contactId === undefined && isPart(filter.search);
  return {
    read: (position, pageSize) => readPage(search, position, pageSize),
    count: () => countAll(search),
    missing: () => findMissing(search),
    partsSince: isByParts ? await edgeOfParts(search) : undefined,
  };
}

/** Something that may be a part of a name or an address. */
const isPart = (search: string | undefined): search is string =>
  search !== undefined && searchedList(search) === undefined;

interface Search {
  readonly pool: Pool;
  readonly portalId: bigint;
  readonly source: Source;
}

async function readPage(search: Search, position: Position, pageSize: number): Promise<ActivityPage> {
  const isUpward = position.after !== undefined;
  const { text, values } = pageQuery(search, position, pageSize + 1);
  const { rows } = await search.pool.query<ItemRow>(text, values);
  const items = rows.slice(0, pageSize).map(toItem);
  const isMore = rows.length > pageSize;
  const edge = isMore ? undefined : await edgeOf(search, position);
  const onward = isMore ? items.at(-1)?.id : edge?.id;
  if (!isUpward) {
    const backward = position.before === undefined ? undefined : (items[0]?.id ?? position.before - 1n);
    return { items, olderThan: onward, newerThan: backward, searchedTo: edge?.acceptedAt };
  }
  items.reverse();
  const backward = items.at(-1)?.id ?? (position.after ?? 0n) + 1n;
  return { items, olderThan: backward, newerThan: onward, searchedTo: edge?.acceptedAt };
}

/** Bounds and order of the rows to read; ordering by `error_code` makes its own index the only way to read them. */
function lookedAt({ portalId, source }: Search, position: Position, values: unknown[]): string {
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const below = smaller(position.before, source.endId);
  const above = larger(position.after, source.firstId - 1n);
  const order = position.after === undefined ? "DESC" : "ASC";
  const portal = `portal_id = ${parameter(portalId)}`;
  if (source.candidates !== undefined) {
    const ids = `id = ANY(${parameter(source.candidates)}::bigint[])`;
    return `WHERE ${portal} AND ${ids} AND id < ${parameter(below)} AND id > ${parameter(above)} ORDER BY id ${order}`;
  }
  if (source.filter.code === undefined) {
    return `WHERE ${portal} AND id < ${parameter(below)} AND id > ${parameter(above)} ORDER BY id ${order}`;
  }
  const code = parameter(source.filter.code);
  return `WHERE ${portal} AND error_code IS NOT NULL AND (error_code, id) < (${code}, ${parameter(below)}::bigint)
      AND (error_code, id) > (${code}, ${parameter(above)}::bigint) ORDER BY error_code ${order}, id ${order}`;
}

function pageQuery(search: Search, position: Position, limit: number): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const rows = lookedAt(search, position, values);
  const condition = filterCondition(search.source.filter, values);
  const order = position.after === undefined ? "DESC" : "ASC";
  const text = `
    WITH looked_at AS (SELECT * FROM executions ${rows} LIMIT ${LOOK_BACK}),
    page AS (SELECT * FROM looked_at WHERE ${condition} LIMIT $${values.push(limit)})
    SELECT ${EXECUTION_COLUMNS} FROM page ORDER BY page.id ${order}`;
  return { text, values };
}

/** Rows read to count them: the newest, if there is no index for the filter. */
const COUNTED = 10_000;

async function countAll(search: Search): Promise<ActivityTotals> {
  const values: unknown[] = [];
  const rows = lookedAt(search, {}, values);
  const limit = search.source.candidates === undefined ? COUNTED : MOST_CANDIDATES;
  const condition = filterCondition(search.source.filter, values);
  const { rows: found } = await search.pool.query<TotalRow>(
    `WITH looked_at AS MATERIALIZED (SELECT * FROM executions ${rows} LIMIT ${limit})
     SELECT enrollment_status, decided_at IS NOT NULL AS is_decided, nullif(error_code, '') AS error_code, count(*)::int AS count,
            (SELECT count(*)::int FROM looked_at) AS looked_at, (SELECT min(accepted_at) FROM looked_at) AS oldest
       FROM looked_at WHERE ${condition} GROUP BY 1, 2, 3`,
    values,
  );
  return totalsOf(found, search.source.candidates === undefined ? COUNTED : undefined);
}

/** The last row that was read, if there are more behind it. */
async function edgeOf(
  search: Search,
  position: Position,
): Promise<{ id: bigint; acceptedAt: Date } | undefined> {
  if (search.source.candidates !== undefined) return undefined;
  const values: unknown[] = [];
  const rows = lookedAt(search, position, values);
  const { rows: found } = await search.pool.query<{ id: string; accepted_at: Date }>(
    `SELECT id, accepted_at FROM executions ${rows} OFFSET ${LOOK_BACK - 1} LIMIT 2`,
    values,
  );
  const [edge] = found;
  return edge === undefined || found.length < 2
    ? undefined
    : { id: BigInt(edge.id), acceptedAt: edge.accepted_at };
}

/** Ids of what an index finds at once; undefined if none does, or if it finds too many to know the newest. */
// eslint-disable-next-line max-params
async function findCandidates(
  pool: Pool,
  portalId: bigint,
  filter: ExecutionFilter,
  { firstId, endId }: Pick<Source, "firstId" | "endId">,
): Promise<bigint[] | undefined> {
  const { search, contactId, outcome } = filter;
  const most = MOST_CANDIDATES + 1;
  const finish = ({ rows }: { rows: { id: string }[] }): bigint[] | undefined =>
    rows.length > MOST_CANDIDATES ? undefined : rows.map(({ id }) => BigInt(id));
  if (contactId !== undefined) return finish(await pool.query(BY_CONTACT, [portalId, contactId, most]));
  if (search !== undefined) {
    const list = searchedList(search);
    if (list !== undefined)
      return finish(await pool.query(BY_LIST, [portalId, list.addresses, list.contactIds, most]));
    const parts = [partPattern(search), firstId, endId];
    const values = [portalId, search, beginningPattern(search), most, searchedId(search) ?? null, ...parts];
    return finish(await pool.query(BY_SEARCH, values));
  }
  if (outcome === "waiting") return finish(await pool.query(UNDECIDED, [portalId, most]));
  if (filter.enrolledSince !== undefined && filter.senderUserId !== undefined && outcome === "enrolled")
    return finish(await pool.query(SENT_SINCE, [portalId, filter.senderUserId, filter.enrolledSince, most]));
  return filter.decidedSince === undefined ? undefined : findDecided(pool, portalId, filter);
}

/**
 * What was decided since a moment, or in a stretch of time, from the index `executions_decided` alone. Also undefined if
 * more was decided then than is read.
 */
async function findDecided(
  pool: Pool,
  portalId: bigint,
  { decidedSince, decidedUntil, kind, code, outcome, retries }: ExecutionFilter,
): Promise<bigint[] | undefined> {
  const conditions = [
    ...(outcome === undefined ? [] : [OUTCOME_CONDITIONS[outcome]]),
    ...(retries === undefined ? [] : ["retry_of IS NULL"]),
    "($3::text IS NULL OR kind = $3)",
    "($4::text IS NULL OR error_code = $4)",
  ];
  const { rows } = await pool.query<{ looked_at: number; ids: string[] | null }>(
    `SELECT count(*)::int AS looked_at,
            (array_agg(id) FILTER (WHERE ${conditions.join(" AND ")}))[1:${MOST_CANDIDATES + 1}] AS ids
       FROM (SELECT id, kind, enrollment_status, error_code, retry_of, decided_at FROM executions
              WHERE portal_id = $1 AND decided_at >= $2 AND decided_at < coalesce($5::timestamptz, 'infinity') ORDER BY decided_at DESC LIMIT ${DECIDED_LOOKED_AT + 1}) AS entry`,
    [portalId, decidedSince, kind ?? null, code ?? null, decidedUntil ?? null],
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

const BY_SEARCH = `
  SELECT id FROM (
    (SELECT id FROM executions WHERE portal_id = $1 AND contact_id = $2 LIMIT $4)
    UNION SELECT id FROM executions WHERE portal_id = $1 AND callback_id = $2
    UNION SELECT id FROM executions WHERE portal_id = $1 AND id = $5::bigint
    UNION ${rowsByAddress({ portalId: "$1", condition: "lower(contact_email) LIKE $3", limit: "$4" })}
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

/** When the oldest row was accepted in which parts were looked for; undefined if there is none behind it. */
async function edgeOfParts({ pool, portalId, source }: Search): Promise<Date | undefined> {
  const { rows } = await pool.query<{ accepted_at: Date }>(
    `SELECT accepted_at FROM executions WHERE portal_id = $1 AND id >= $2 AND id < $3
      ORDER BY id DESC OFFSET ${PARTS_LOOKED_AT} LIMIT 1`,
    [portalId, source.firstId, source.endId],
  );
  return rows[0]?.accepted_at;
}

async function findMissing({ pool, portalId, source }: Search): Promise<readonly string[] | undefined> {
  const list = source.filter.search === undefined ? undefined : searchedList(source.filter.search);
  if (list === undefined) return undefined;
  const { rows } = await pool.query<{ email: string | null; contact_id: string }>(
    `SELECT DISTINCT lower(contact_email) AS email, contact_id FROM executions
      WHERE portal_id = $1 AND id = ANY($2::bigint[])`,
    [portalId, source.candidates ?? []],
  );
  const found = new Set(rows.flatMap(({ email, contact_id }) => [email, contact_id]));
  return [...list.addresses, ...list.contactIds].filter((one) => !found.has(one));
}

function shifted(moment: string | undefined, byMs: number): Date | undefined {
  return moment === undefined ? undefined : new Date(Date.parse(moment) + byMs);
}

function smaller(left: bigint | undefined, right: bigint): bigint {
  return left !== undefined && left < right ? left : right;
}

function larger(left: bigint | undefined, right: bigint): bigint {
  return left !== undefined && left > right ? left : right;
}
