import { isDeepStrictEqual } from "node:util";
import type { Pool, PoolClient } from "pg";
import type { Prisma } from "#platform/db/generated/client.js";
import { inTransaction } from "#platform/db/transaction.js";
import { withDeadline } from "#platform/time/request-deadline.js";
import { authorOf, type Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";

/** What is shown as before and after: plain values by name. */
export type Snapshot = Readonly<Record<string, unknown>>;

/** One change, as the audit page tells it. */
export interface AuditedChange {
  /** What was changed, e.g. "sender", "preset", "portal". */
  readonly subject: string;
  /** Which one, in words an admin knows. */
  readonly subjectName: string;
  /** CREATED, CHANGED, DELETED, or what else was done to it. */
  readonly action: string;
  /** Absent if it did not exist, or if the change has no state, such as a test that was sent. */
  readonly before?: Snapshot | undefined;
  readonly after?: Snapshot | undefined;
}

/** The transaction that makes the change, of either driver. */
export type AuditTransaction = PoolClient | Prisma.TransactionClient;

const INSERT = `
  INSERT INTO audit_entries (portal_id, user_id, user_email, subject, subject_name, action, before, after)
  SELECT $1::bigint, $2::bigint, $3::text, subject, "subjectName", action, before, after
    FROM jsonb_to_recordset($4::jsonb) AS entry
         (subject text, "subjectName" text, action text, before jsonb, after jsonb)`;

/**
 * Notes changes in the transaction that makes them, so neither is there without the other: in one statement, however many
 * they are. A change that changes nothing, because what was before is what is after, leaves no entry.
 */
export async function recordChanges(
  transaction: AuditTransaction,
  actor: Actor,
  changes: readonly AuditedChange[],
): Promise<void> {
  const real = changes.map(toPlain).filter(({ before, after }) => !isSame(before, after));
  if (real.length === 0) return;
  const { userId, userEmail } = authorOf(actor);
  const values = [actor.portalId, userId, userEmail, JSON.stringify(real)];
  await ("$executeRawUnsafe" in transaction
    ? transaction.$executeRawUnsafe(INSERT, ...values)
    : transaction.query(INSERT, values));
}

/** The same for one change. */
export function recordChange(
  transaction: AuditTransaction,
  actor: Actor,
  change: AuditedChange,
): Promise<void> {
  return recordChanges(transaction, actor, [change]);
}

/** As it will be read back: ids are 64 bits wide, which JSON's own numbers are not, and are written as text. */
function toPlain(change: AuditedChange): AuditedChange {
  const text = JSON.stringify(change, (_key, part: unknown) =>
    typeof part === "bigint" ? part.toString() : part,
  );
  return JSON.parse(text) as AuditedChange;
}

const isSame = (before: Snapshot | undefined, after: Snapshot | undefined): boolean =>
  before !== undefined && after !== undefined && isDeepStrictEqual(before, after);

/**
 * Records that someone exports a file of the account's data, before any of it is sent, and how many rows were sent by
 * its end, or when the browser disconnected.
 *
 * @returns the rows to send.
 */
export async function recordExport<Row>(
  pool: Pool,
  actor: Actor,
  { subjectName, rows }: { subjectName: string; rows: Iterable<Row> | AsyncIterable<Row> },
): Promise<AsyncIterable<Row>> {
  requireRight(actor, "exportRows");
  const { userId, userEmail } = authorOf(actor);
  const { rows: entries } = await pool.query<{ id: string }>(
    `INSERT INTO audit_entries (portal_id, user_id, user_email, subject, subject_name, action)
     VALUES ($1, $2, $3, 'export', $4, 'EXPORTED') RETURNING id`,
    [actor.portalId, userId, userEmail, subjectName],
  );
  return counted(rows, async (count) => {
    const note = (client: PoolClient) =>
      client.query("UPDATE audit_entries SET after = $3 WHERE portal_id = $1 AND id = $2", [
        actor.portalId,
        entries[0]?.id,
        JSON.stringify({ rows: count }),
      ]);
    // Rows that were sent are recorded, however late, and whether or not anyone waits for the rest.
    await withDeadline(undefined, () => inTransaction(pool, note));
  });
}

/** The same rows; calls `onEnd` with their number when they end, or when the consumer stops. */
async function* counted<Row>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  onEnd: (count: number) => Promise<void>,
): AsyncGenerator<Row> {
  let count = 0;
  try {
    for await (const row of rows) {
      count += 1;
      yield row;
    }
  } finally {
    await onEnd(count);
  }
}
