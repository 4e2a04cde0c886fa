import type { Pool } from "pg";
import { recordSignOut } from "./record-sign-in.js";
import { inTransaction } from "#platform/db/transaction.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import type { Visitor } from "#domain/contract/actor.js";

/** A session on the settings site, and when it ends at the latest. */
export interface EndedSession {
  readonly id: string;
  readonly endsAt: Date;
}

/**
 * Ends a session on the server, so that a copy of its cookie opens nothing either, and notes that its user left. Kept
 * until the session would have ended anyway; older rows are deleted along the way.
 */
export async function endSession(pool: Pool, visitor: Visitor, session: EndedSession): Promise<void> {
  requireRight(visitor, "signOut");
  await inTransaction(pool, async (client) => {
    await client.query("DELETE FROM revoked_sessions WHERE expires_at < now()");
    await client.query(
      "INSERT INTO revoked_sessions (session_id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
      [session.id, session.endsAt],
    );
    await recordSignOut(client, visitor);
  });
}
