import { openDatabase } from "#platform/db/client.js";
import { createOAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { createLogger } from "#platform/observability/logger.js";
import { createVault } from "#domain/vault/vault.js";

/** What the parent sends to a process that shares a vault with it. */
export interface VaultTask {
  databaseUrl: string;
  apiUrl: string;
  clientId: string;
  clientSecret: string;
  keyBase64: string;
  portalId: string;
  callers: number;
  /** The process's clock runs ahead by this much, so that the stored token is about to expire. */
  aheadMs: number;
  /** Renew after a 401 to this token instead of asking for one. */
  refusedToken?: string;
}

process.once("message", (task: VaultTask) => {
  void run(task)
    .then((tokens) => process.send?.(tokens))
    .finally(() => process.disconnect());
});
process.send?.("ready");

async function run(task: VaultTask): Promise<string[]> {
  const database = openDatabase({ url: task.databaseUrl, applicationName: "vault process", poolSize: 5 });
  const { refreshGrant } = createOAuthApi({
    clientId: task.clientId,
    clientSecrets: [task.clientSecret],
    apiUrl: task.apiUrl,
    appUrl: task.apiUrl,
    redirectUri: "http://localhost/oauth/callback",
  });
  const vault = createVault({
    database,
    keys: [{ id: "k1", key: Buffer.from(task.keyBase64, "base64") }],
    refreshGrant,
    now: () => new Date(Date.now() + task.aheadMs),
    logger: createLogger({ level: "silent" }),
    revokeGrant: () => Promise.resolve(),
    mayTakeOver,
  });
  const portalId = BigInt(task.portalId);
  const { refusedToken } = task;
  const ask = () =>
    refusedToken === undefined
      ? vault.accessTokenFor(portalId)
      : vault.renewAfterRefusal(portalId, refusedToken);
  try {
    return await Promise.all(Array.from({ length: task.callers }, ask));
  } finally {
    await database.close();
  }
}
