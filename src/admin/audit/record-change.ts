import type { Pool, PoolClient } from "pg";
import type { SessionIdentity } from "../session/session-identity.js";

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
 * Notes that somebody takes a file of the account's data along, before any of it is given out; `rows` if they are
 * counted by then.
 */
export async function recordExport(
  database: Pool,
  { by, subjectName, rows }: Pick<Change, "by" | "subjectName"> & { rows?: number },
): Promise<void> {
  const after = rows === undefined ? undefined : { rows };
  await recordChange(database, { by, subject: "export", subjectName, action: "EXPORTED", after });
}

/** Ids are 64 bits wide, which JSON's own numbers are not: they are written as text. */
function toJson(value: Readonly<Record<string, unknown>> | undefined): string | null {
  if (value === undefined) return null;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}
