import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { readRights } from "./rights.js";
import { requireRight, type Verb } from "#domain/contract/actor-rights.js";
import type { SessionIdentity, SignIn } from "#domain/contract/session-identity.js";
import { recordChange } from "#domain/audit/record-change.js";

/** Records who signed in to the settings site, and who tried and was refused. */
export async function recordSignIn(pool: Pool, { by, isOpen, isConnecting }: SignIn): Promise<void> {
  const isLetIn = isOpen && (await readRights(pool, by.portalId, by.userId))?.role !== undefined;
  if (isLetIn && isConnecting) return;
  const action = isLetIn ? "SIGNED_IN" : "SIGN_IN_REFUSED";
  await inTransaction(pool, (client) => recordSession(client, by, { verb: "signIn", action }));
}

/** Records a sign-out, in the transaction that ends the session. */
export async function recordSignOut(client: PoolClient, by: SessionIdentity): Promise<void> {
  await recordSession(client, by, { verb: "signOut", action: "SIGNED_OUT" });
}

async function recordSession(
  client: PoolClient,
  { portalId, userId, userEmail }: SessionIdentity,
  { verb, action }: { verb: Verb; action: string },
): Promise<void> {
  const actor = { kind: "visitor", portalId, userId, userEmail } as const;
  requireRight(actor, verb);
  const subjectName = userEmail ?? (userId === null ? "Unknown user" : `User ${userId}`);
  await recordChange(client, actor, { subject: "session", subjectName, action });
}
