import type { PoolClient } from "pg";
import { LONGEST_SECONDS, type Session } from "./session.js";

/**
 * Ends a session on the server, so that a copy of its cookie opens nothing either. Kept until the session would have
 * ended anyway; rows past that go along the way.
 */
export async function revokeSession(client: PoolClient, session: Session): Promise<void> {
  await client.query("DELETE FROM revoked_sessions WHERE expires_at < now()");
  const endsAt = new Date(session.signedInAt.getTime() + LONGEST_SECONDS * 1000);
  await client.query(
    "INSERT INTO revoked_sessions (session_id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [session.id, endsAt],
  );
}
