import type { PoolClient } from "pg";
import type { ConnectionState, NewConnection } from "../../vault/store.js";
import { recordChange } from "./record-change.js";

/** Notes who connected the account, in the transaction that does it; one who connects it once more is noted too. */
export async function recordConnection(
  client: PoolClient,
  { portalId, userId, userEmail, before, after }: NewConnection,
): Promise<void> {
  await recordChange(client, {
    by: { portalId, userId, userEmail },
    ...{ subject: "portal", subjectName: "Account", action: "CONNECTED" },
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
