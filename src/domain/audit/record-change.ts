import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { withDeadline } from "#platform/time/request-deadline.js";
import type { SessionIdentity } from "#domain/contract/session-identity.js";

/** One change of an admin's, as the audit page tells it. */
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

/** Writes the entry; given the client of a transaction, it is there exactly if the change is. */
export async function recordChange(database: Pool | PoolClient, change: Change): Promise<void> {
  const { by, subject, subjectName, action, before, after } = change;
  await database.query(
    `INSERT INTO audit_entries (portal_id, user_id, user_email, subject, subject_name, action, before, after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [by.portalId, by.userId, by.userEmail, subject, subjectName, action, toJson(before), toJson(after)],
  );
}

/**
 * Notes that somebody takes a file of the account's data along, before any of it is given out, and how many rows were by
 * its end, or by the time the browser was gone.
 *
 * @returns the rows, to be given out.
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
    // What was given out is given out, however late, and whether or not anybody waits for the rest.
    await withDeadline(undefined, () => inTransaction(pool, note));
  });
}

/** The same rows; `tell` is told how many there were when they end, or nobody wants more. */
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

/** Ids are 64 bits wide, which JSON's own numbers are not: they are written as text. */
function toJson(value: Readonly<Record<string, unknown>> | undefined): string | null {
  if (value === undefined) return null;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}
