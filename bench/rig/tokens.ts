import { openDatabase } from "#platform/db/client.js";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { createLogger } from "#platform/observability/logger.js";
import { createVault } from "#domain/vault/vault.js";
import type { Rig } from "./rig.js";

/** The portals' access tokens, opened as the app does: for peers that call the simulated HubSpot themselves. */
export async function accessTokens(rig: Rig, portalIds: readonly number[]): Promise<string[]> {
  const [id = "", key = ""] = (rig.environment["ENCRYPTION_KEYS"] ?? "").split(":");
  const database = openDatabase({ url: rig.databaseUrl, applicationName: "bench", poolSize: 2 });
  const vault = createVault({
    database,
    keys: [{ id, key: Buffer.from(key, "base64") }],
    refreshGrant: () => Promise.reject(new Error("a token of the bench ran out")),
    now: () => new Date(),
    logger: createLogger({ level: "silent" }),
    revokeGrant: () => Promise.resolve(),
    mayTakeOver,
    onDisconnect: () => Promise.resolve(),
  });
  try {
    return await Promise.all(portalIds.map((portalId) => vault.accessTokenFor(BigInt(portalId))));
  } finally {
    await database.close();
  }
}
