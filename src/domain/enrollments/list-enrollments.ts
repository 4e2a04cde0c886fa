import type { Pool } from "pg";
import { rowsByAddress } from "#domain/contacts/rows-by-address.js";
import { undecidedRows } from "#domain/contract/undecided.js";
import { idAt, TIME_MARGIN_MS } from "#domain/executions/id-at.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { ChangeFence } from "./change-fence.js";
import { ENROLLMENT_COLUMNS, type Enrollment, type EnrollmentRow } from "./enrollment.js";
import { enrollmentCondition, type EnrollmentFilter } from "./enrollment-filter.js";
import { UNDECIDED_STATES } from "./enrollment-state.js";
import type { EnrollmentSort, ListPlace } from "./list-place.js";
import { asEnrollments } from "./read-enrollments.js";

export interface ListQuestion {
  readonly filter: EnrollmentFilter;
  readonly sort: EnrollmentSort;
  readonly limit: number;
  readonly after?: ListPlace | undefined;
}

export interface EnrollmentList {
  readonly enrollments: readonly Enrollment[];
  /** Where the next page begins, even if this one is not full: the search was cut. Undefined: there are no more. */
  readonly next: ListPlace | undefined;
}

/** Rows read at a time, and how often: a filter that matches next to nothing must not read a whole history at once. */
const LOOKED_AT = 25_000;
const MOST_LOOKS = 4;
/** Up to this many matches of an index are fetched by their ids. */
const MOST_CANDIDATES = 5_000;
const HIGHEST_ID = 2n ** 63n - 1n;

/** Which rows are read, in which order. */
interface Source {
  readonly pool: Pool;
  readonly portalId: PortalId;
  readonly filter: EnrollmentFilter;
  readonly sort: EnrollmentSort;
  readonly candidates: readonly ExecutionId[] | undefined;
  /** With sort -createdAt: no row below is of interest. */
  readonly firstId: ExecutionId;
  /** With sort `updatedAt`: changes from this moment on may be incomplete. */
  readonly before: Date | undefined;
}

/**
 * A page of a portal's enrollments, in bounded time. `-createdAt`: in the order in which they were stored, newest
 * first. `updatedAt`: by their last visible change, oldest first, and none that may still be followed by an earlier
 * one: a program that continues from the last one it has sees each change once its row is at rest, and no row twice
 * unchanged.
 */
export async function listEnrollments(
  { pool, fence }: { readonly pool: Pool; readonly fence: ChangeFence },
  portalId: PortalId,
  question: ListQuestion,
): Promise<EnrollmentList> {
  const { filter, sort, limit } = question;
  // Before the rows are looked for: what is complete then is seen by all that follows.
  const before = sort === "updatedAt" ? await fence.read(pool) : undefined;
  if (sort === "updatedAt" && before === undefined) return { enrollments: [], next: undefined };
  const candidates = await findCandidates(pool, portalId, filter);
  const firstId = sort === "updatedAt" ? 0n : await firstIdOf(pool, portalId, filter);
  const source = { pool, portalId, filter, sort, candidates, firstId, before };
  const { rows, next } = await fill(source, limit, question.after ?? (await startOf(source)));
  return { enrollments: await asEnrollments(pool, portalId, rows), next };
}

async function fill(
  source: Source,
  limit: number,
  from: ListPlace,
): Promise<{ rows: EnrollmentRow[]; next: ListPlace | undefined }> {
  const rows: EnrollmentRow[] = [];
  let place: ListPlace | undefined = from;
  for (let look = 0; look < MOST_LOOKS && place !== undefined; look += 1) {
    rows.push(...(await readRows(source, place, limit + 1 - rows.length)));
    if (rows.length > limit) {
      const page = rows.slice(0, limit);
      return { rows: page, next: placeOf(source.sort, page.at(-1) as EnrollmentRow) };
    }
    place = await edgeOf(source, place);
  }
  return { rows, next: place };
}

function placeOf(
  sort: EnrollmentSort,
  { id, updated_at }: Pick<EnrollmentRow, "id" | "updated_at">,
): ListPlace {
  return { id: BigInt(id), ...(sort === "updatedAt" ? { updatedAt: updated_at } : {}) };
}

async function startOf({ pool, portalId, filter, sort }: Source): Promise<ListPlace> {
  if (sort === "updatedAt") return { id: HIGHEST_ID, updatedAt: filter.updatedAfter ?? new Date(0) };
  if (filter.createdBefore === undefined) return { id: HIGHEST_ID };
  const until = new Date(filter.createdBefore.getTime() + TIME_MARGIN_MS);
  return { id: (await idAt(pool, portalId, until)) ?? HIGHEST_ID };
}

async function firstIdOf(
  pool: Pool,
  portalId: PortalId,
  { createdAfter }: EnrollmentFilter,
): Promise<ExecutionId> {
  if (createdAfter === undefined) return 0n;
  return (await idAt(pool, portalId, new Date(createdAfter.getTime() - TIME_MARGIN_MS))) ?? 0n;
}

/**
 * SQL of the rows after a place, in order. Candidates are fetched by their ids first (OFFSET): the planner would rather go
 * through an index in the order of the list, and pass all that are none of them.
 */
function rowsAfter(source: Source, place: ListPlace, values: unknown[]): string {
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const portalId = parameter(source.portalId);
  const { candidates } = source;
  const from =
    candidates === undefined
      ? "executions e"
      : `(SELECT * FROM executions WHERE portal_id = ${portalId} AND id = ANY (${parameter(candidates)}::bigint[]) OFFSET 0) AS e`;
  if (source.sort === "-createdAt")
    return `FROM ${from} WHERE e.portal_id = ${portalId} AND e.id < ${parameter(place.id)}::bigint
      AND e.id >= ${parameter(source.firstId)}::bigint ORDER BY e.id DESC`;
  const since = `(${parameter(place.updatedAt)}::timestamptz, ${parameter(place.id)}::bigint)`;
  return `FROM ${from} WHERE e.portal_id = ${portalId} AND e.kind = 'ENROLL' AND (e.updated_at, e.id) > ${since}
    AND e.updated_at < ${parameter(source.before)}::timestamptz ORDER BY e.updated_at, e.id`;
}

async function readRows(source: Source, place: ListPlace, limit: number): Promise<EnrollmentRow[]> {
  const values: unknown[] = [];
  const lookedAt = rowsAfter(source, place, values);
  const condition = enrollmentCondition(source.filter, values);
  const order = source.sort === "updatedAt" ? "e.updated_at, e.id" : "e.id DESC";
  const { rows } = await source.pool.query<EnrollmentRow>(
    `SELECT ${ENROLLMENT_COLUMNS} FROM (
       SELECT * FROM (SELECT * ${lookedAt} LIMIT ${LOOKED_AT}) AS e
        WHERE ${condition} ORDER BY ${order} LIMIT $${values.push(limit)}
     ) AS e ORDER BY ${order}`,
    values,
  );
  return rows;
}

/** The last row that was read, if there may be more behind it. */
async function edgeOf(source: Source, place: ListPlace): Promise<ListPlace | undefined> {
  if (source.candidates !== undefined) return undefined;
  const values: unknown[] = [];
  const { rows } = await source.pool.query<Pick<EnrollmentRow, "id" | "updated_at">>(
    `SELECT e.id, e.updated_at ${rowsAfter(source, place, values)} OFFSET ${LOOKED_AT - 1} LIMIT 1`,
    values,
  );
  const [edge] = rows;
  return edge && placeOf(source.sort, edge);
}

/** The ids that an index finds at once; undefined if no index does, or if it finds too many. */
async function findCandidates(
  pool: Pool,
  portalId: PortalId,
  { contactId, email, reference, status }: EnrollmentFilter,
): Promise<ExecutionId[] | undefined> {
  const limit = MOST_CANDIDATES + 1;
  const find = async (text: string, values: unknown[]): Promise<ExecutionId[] | undefined> => {
    const { rows } = await pool.query<{ id: string }>(text, values);
    return rows.length > MOST_CANDIDATES ? undefined : rows.map(({ id }) => BigInt(id));
  };
  if (contactId !== undefined) return find(BY_CONTACT, [portalId, limit, contactId]);
  if (email !== undefined) return find(BY_ADDRESS, [portalId, limit, email]);
  if (reference !== undefined) return find(BY_REFERENCE, [portalId, limit, reference]);
  const isOpen = status?.every((state) => UNDECIDED_STATES.includes(state)) ?? false;
  return isOpen ? find(UNDECIDED, [portalId, limit]) : undefined;
}

const BY_CONTACT = `SELECT id FROM executions WHERE portal_id = $1 AND contact_id = $3 LIMIT $2`;
const BY_ADDRESS = `SELECT id FROM (${rowsByAddress({
  portalId: "$1",
  condition: "lower(contact_email) = lower($3)",
  limit: "$2",
})}) AS found LIMIT $2`;
const BY_REFERENCE = `SELECT id FROM executions WHERE portal_id = $1 AND reference = $3 LIMIT $2`;
const UNDECIDED = `
  ${undecidedRows({ columns: "e.id", portalId: "$1", limit: "$2" })}
  UNION ALL (SELECT id FROM executions WHERE portal_id = $1 AND state = 'WATCHING' ORDER BY due_at, id LIMIT $2)
  LIMIT $2`;
