import type { PoolClient } from "pg";
import type { ConnectionState, NewConnection } from "#domain/vault/store.js";
import { recordChange } from "#domain/audit/record-change.js";

/**
 * Records whose grant the app uses, in the transaction that changes it: who connected the account, for the first time
 * or again, and whose sign-in brought more permissions.
 */
export async function recordConnection(
  client: PoolClient,
  { portalId, userId, userEmail, occasion, before, after }: NewConnection,
): Promise<void> {
  const isConnecting = occasion === "install" || before?.status !== "CONNECTED";
  await recordChange(client, {
    by: { portalId, userId, userEmail },
    subject: "portal",
    subjectName: "Account",
    action: isConnecting ? "CONNECTED" : "AUTHORIZED_AGAIN",
    before: before === undefined ? { connection: "never_connected" } : noted(before),
    after: noted(after),
  });
}

function noted({ status, authorizedByEmail, scopes }: ConnectionState) {
  return {
    connection: status === "CONNECTED" ? "connected" : "not_connected",
    connectedBy: authorizedByEmail,
    scopes: [...scopes].sort(),
  };
}
