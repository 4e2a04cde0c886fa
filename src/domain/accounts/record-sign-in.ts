import type { Pool, PoolClient } from "pg";
import { mayAdminister } from "./rights.js";
import type { SessionIdentity, SignIn } from "#domain/contract/session-identity.js";
import { recordChange } from "#domain/audit/record-change.js";

/** Records who signed in to the settings site, and who tried and was refused. */
export async function recordSignIn(pool: Pool, { by, isOpen, isConnecting }: SignIn): Promise<void> {
  const isLetIn = isOpen && (await mayAdminister(pool, by.portalId, by.userId));
  if (isLetIn && isConnecting) return;
  await recordSession(pool, by, isLetIn ? "SIGNED_IN" : "SIGN_IN_REFUSED");
}

/** Records a sign-out, in the transaction that ends the session. */
export async function recordSignOut(client: PoolClient, by: SessionIdentity): Promise<void> {
  await recordSession(client, by, "SIGNED_OUT");
}

async function recordSession(db: Pool | PoolClient, by: SessionIdentity, action: string): Promise<void> {
  const subjectName = by.userEmail ?? (by.userId === null ? "Somebody" : `User ${by.userId}`);
  await recordChange(db, { by, subject: "session", subjectName, action });
}
