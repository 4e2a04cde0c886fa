import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { Ownership } from "./claim.js";

/**
 * SQL that leaves out rows that someone else holds, including an earlier try that is still under way. Expects the
 * portal id as $1 and the rows' ids as $3; locks in order of ids, as every statement with several rows does.
 */
export const FREE_ROWS = `AND e.id = ANY (ARRAY(
  SELECT free.id FROM executions free WHERE free.portal_id = $1 AND free.id = ANY ($3::bigint[])
   ORDER BY free.id FOR UPDATE SKIP LOCKED))`;

/** A row to be written, and what shows that it is still as it was read. */
export interface RowAsRead {
  readonly id: ExecutionId;
  readonly asRead: string | number | Date;
}

/** Which rows are still to be written, and whether the portal is still the owner's. */
export interface Unwritten {
  readonly isOwner: boolean;
  readonly ids: ReadonlySet<ExecutionId>;
}

/**
 * After a write that moved fewer rows than given: separates rows that an earlier try wrote without an answer, or that
 * someone else moved, from rows that still have to be written.
 *
 * @param isAsRead SQL on the execution `e`, the owner's epoch `$2` and `row.as_read`, a text.
 */
export async function readUnwritten(
  { pool, portalId, epoch }: Ownership,
  rows: readonly RowAsRead[],
  isAsRead: string,
): Promise<Unwritten> {
  const { rows: found } = await pool.query<{ is_owner: boolean; ids: string[] }>(
    `SELECT EXISTS (SELECT FROM portal_drains WHERE portal_id = $1 AND epoch = $2) AS is_owner,
            ARRAY(SELECT e.id::text FROM unnest($3::bigint[], $4::text[]) AS row (id, as_read)
                    JOIN executions e ON e.portal_id = $1 AND e.id = row.id
                   WHERE ${isAsRead}) AS ids`,
    [portalId, epoch, rows.map(({ id }) => id), rows.map(({ asRead }) => asRead)],
  );
  return { isOwner: found[0]?.is_owner ?? false, ids: new Set(found[0]?.ids.map(BigInt)) };
}
