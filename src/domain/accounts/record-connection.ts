import { isDeepStrictEqual } from "node:util";
import type { PoolClient } from "pg";
import type { ConnectionState, NewConnection } from "#domain/vault/connect-portal.js";
import { recordChange } from "#domain/audit/record-change.js";
import { requireRight } from "#domain/contract/actor-rights.js";

/**
 * Records whose grant the app uses, in the transaction that changes it: who connected the account, for the first time
 * or again, and whose sign-in brought more permissions.
 */
export async function recordConnection(
  client: PoolClient,
  { portalId, userId, userEmail, occasion, before, after }: NewConnection,
): Promise<void> {
  const actor = { kind: "visitor", portalId, userId, userEmail } as const;
  requireRight(actor, "connect");
  // A new grant has replaced the old one even if nothing else differs: then the entry says only how it is now.
  const was = before === undefined ? { connection: "never_connected" } : noted(before);
  const is = noted(after);
  const isConnecting = occasion === "install" || before?.status !== "CONNECTED";
  await recordChange(client, actor, {
    subject: "portal",
    subjectName: "Account",
    action: isConnecting ? "CONNECTED" : "AUTHORIZED_AGAIN",
    ...(isDeepStrictEqual(was, is) ? {} : { before: was }),
    after: is,
  });
}

function noted({ status, authorizedByEmail, scopes }: ConnectionState) {
  return {
    connection: status === "CONNECTED" ? "connected" : "not_connected",
    connectedBy: authorizedByEmail,
    scopes: [...scopes].sort(),
  };
}
