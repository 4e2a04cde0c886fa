import type { Pool } from "pg";
import { filterCondition, searchedList, type ExecutionFilter } from "#domain/contract/execution-filter.js";
import { idAt, TIME_MARGIN_MS } from "#domain/executions/id-at.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { Position } from "./activity-query.js";
import {
  findCandidates,
  isShortPart,
  MOST_CANDIDATES,
  PARTS_LOOKED_AT,
  type IdRange,
} from "./search/candidates.js";
import { kindsOf, type KindCounts, type KindRow } from "./search/kind-counts.js";
import { totalsOf, type ActivityTotals, type TotalRow } from "./search/activity-totals.js";
import { EXECUTION_COLUMNS, toItem, type ExecutionItem, type ItemRow } from "./execution-item.js";

export interface ActivityPage {
  /** Newest first. */
  readonly items: ExecutionItem[];
  /** The next page begins below this id; undefined if nothing older is left. */
  readonly olderThan: ExecutionId | undefined;
  /** The page before begins above this id; undefined on the first page. */
  readonly newerThan: ExecutionId | undefined;
  /** Set if the search stopped before it filled the page or reached the end: how far it got. */
  readonly searchedTo: Date | undefined;
}

/** A search that can be paged through in either direction. */
export interface ExecutionSearch {
  read(position: Position, pageSize: number): Promise<ActivityPage>;
  /** What the whole search finds, by result and reason. */
  count(): Promise<ActivityTotals>;
  /** The same by action and result: for what else could be looked at. */
  countKinds(): Promise<KindCounts>;
  /** If the search is a list: the addresses and contact ids that no call was ever for; otherwise undefined. */
  missing(): Promise<readonly string[] | undefined>;
  /** A part too short for the index was looked for only in what was accepted since then; undefined: in everything. */
  readonly partsSince: Date | undefined;
}

/** Rows read for one page: a filter that matches next to nothing must not read a portal's whole history. */
const LOOK_BACK = 25_000;
const HIGHEST_ID = 2n ** 63n - 1n;
/** The rows a search runs over, and the ids it stays between. */
interface Source extends IdRange {
  readonly candidates: readonly ExecutionId[] | undefined;
  readonly filter: ExecutionFilter;
}

/**
 * Finds executions of one portal by a filter, newest first and in bounded time, however long the history: exact values
 * come from an index, the rest from reading backward a limited number of rows at a time.
 */
export async function searchExecutions(
  pool: Pool,
  portalId: PortalId,
  filter: ExecutionFilter,
): Promise<ExecutionSearch> {
  const [firstId, endId] = await Promise.all([
    idAt(pool, portalId, shifted(filter.since, -TIME_MARGIN_MS)),
    idAt(pool, portalId, shifted(filter.until, TIME_MARGIN_MS)),
  ]);
  const bounds = { firstId: firstId ?? 0n, endId: endId ?? HIGHEST_ID };
  const candidates = await findCandidates(pool, portalId, filter, bounds);
  const search = { pool, portalId, source: { candidates, filter, ...bounds } };
  const isByParts = candidates !== undefined && filter.contactId === undefined && isShortPart(filter.search);
  return {
    read: (position, pageSize) => readPage(search, position, pageSize),
    count: () => countAll(search),
    countKinds: () => countKinds(search),
    missing: () => findMissing(search),
    partsSince: isByParts ? await edgeOfParts(search) : undefined,
  };
}

interface Search {
  readonly pool: Pool;
  readonly portalId: PortalId;
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
  // Summed up as they are read: rows kept on the way would be wider than the memory for them.
  const { rows: found } = await search.pool.query<TotalRow>(
    `SELECT enrollment_status, decided_at IS NOT NULL AS is_decided, nullif(error_code, '') AS error_code,
            (count(*) FILTER (WHERE ${condition}))::int AS count, (sum(count(*)) OVER ())::int AS looked_at,
            min(min(accepted_at)) OVER () AS oldest
       FROM (SELECT * FROM executions ${rows} LIMIT ${limit}) AS looked_at GROUP BY 1, 2, 3`,
    values,
  );
  return totalsOf(found, search.source.candidates === undefined ? COUNTED : undefined);
}

async function countKinds(search: Search): Promise<KindCounts> {
  const values: unknown[] = [];
  const rows = lookedAt(search, {}, values);
  const limit = search.source.candidates === undefined ? COUNTED : MOST_CANDIDATES;
  const condition = filterCondition(search.source.filter, values);
  const { rows: found } = await search.pool.query<KindRow>(
    `SELECT kind = 'ENROLL' AS is_enroll, enrollment_status, decided_at IS NOT NULL AS is_decided,
            (count(*) FILTER (WHERE ${condition}))::int AS count, (sum(count(*)) OVER ())::int AS looked_at
       FROM (SELECT * FROM executions ${rows} LIMIT ${limit}) AS looked_at GROUP BY 1, 2, 3`,
    values,
  );
  return kindsOf(found, search.source.candidates === undefined ? COUNTED : undefined);
}

/** The last row that was read, if there are more behind it. */
async function edgeOf(
  search: Search,
  position: Position,
): Promise<{ id: ExecutionId; acceptedAt: Date } | undefined> {
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

/** When the oldest row was accepted in which a short part was looked for; undefined if there is none behind it. */
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

function smaller(left: ExecutionId | undefined, right: ExecutionId): ExecutionId {
  return left !== undefined && left < right ? left : right;
}

function larger(left: ExecutionId | undefined, right: ExecutionId): ExecutionId {
  return left !== undefined && left > right ? left : right;
}
