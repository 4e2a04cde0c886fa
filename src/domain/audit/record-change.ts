import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { withDeadline } from "#platform/time/request-deadline.js";
import type { SessionIdentity } from "#domain/contract/session-identity.js";

/** One change by an admin, as the audit page shows it. */
export interface Change {
  /** Who did it, and in which portal. */
  by: Pick<SessionIdentity, "portalId" | "userId" | "userEmail">;
  /** What was changed, e.g. "sender", "preset", "portal". */
  subject: string;
  /** Which one, in words an admin knows. */
  subjectName: string;
  /** CREATED, CHANGED, DELETED, or what else was done to it. */
  action: string;
  before?: Readonly<Record<string, unknown>> | undefined;
  after?: Readonly<Record<string, unknown>> | undefined;
}

/** Writes the entry; inside a transaction, the entry exists exactly if the change does. */
export async function recordChange(database: Pool | PoolClient, change: Change): Promise<void> {
  const { by, subject, subjectName, action, before, after } = change;
  await database.query(
    `INSERT INTO audit_entries (portal_id, user_id, user_email, subject, subject_name, action, before, after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [by.portalId, by.userId, by.userEmail, subject, subjectName, action, toJson(before), toJson(after)],
  );
}

/**
 * Records that someone exports a file of the account's data, before any of it is sent, and how many rows were sent by
 * its end, or when the browser disconnected.
 *
 * @returns the rows to send.
 */
export async function recordExport<Row>(
  pool: Pool,
  { by, subjectName }: Pick<Change, "by" | "subjectName">,
  rows: Iterable<Row> | AsyncIterable<Row>,
): Promise<AsyncIterable<Row>> {
  const { rows: entries } = await pool.query<{ id: string }>(
    `INSERT INTO audit_entries (portal_id, user_id, user_email, subject, subject_name, action)
     VALUES ($1, $2, $3, 'export', $4, 'EXPORTED') RETURNING id`,
    [by.portalId, by.userId, by.userEmail, subjectName],
  );
  return counted(rows, async (count) => {
    const note = (client: PoolClient) =>
      client.query("UPDATE audit_entries SET after = $3 WHERE portal_id = $1 AND id = $2", [
        ...[by.portalId, entries[0]?.id, toJson({ rows: count })],
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

/** Ids have 64 bits, more than JSON's numbers: they are written as text. */
function toJson(value: Readonly<Record<string, unknown>> | undefined): string | null {
  if (value === undefined) return null;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}
