/**
 * Deletes everything the app stores about an account, at once (docs/data.md):
 *
 *   npm run portal:erase -- <portal> --yes
 *
 * A connected account is disconnected first: nothing more is done for it, and the running app revokes our access at
 * HubSpot. The account's admin removes the app there. Running it twice does no harm.
 */
import { readConfig } from "../config.js";
import { openDatabase, type Database } from "#platform/db/client.js";
import { startEmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { eraseAccount } from "#worker/sweeps/erase-accounts.js";
import { ownSecrets } from "../compose/own-secrets.js";
import { createLogger } from "#platform/observability/logger.js";
import { createTokenStore } from "#domain/vault/store.js";

const USAGE = `Usage: npm run portal:erase -- <portal> --yes
Deletes all of the account: access, settings, history, audit log. This cannot be undone.
`;

/** Undefined unless there is one portal and `--yes`. */
function readArguments(given: readonly string[]): bigint | undefined {
  const [portal, ...others] = given.filter((word) => word !== "--yes");
  const isMeant = given.includes("--yes") && others.length === 0;
  return isMeant && portal !== undefined && /^\d{1,18}$/.test(portal) ? BigInt(portal) : undefined;
}

async function erase({ pool }: Database, portalId: bigint): Promise<number> {
  const tokens = createTokenStore({ pool, mayTakeOver: () => Promise.resolve(false) });
  const actor = { kind: "system", portalId, part: "operator" } as const;
  await tokens.disconnect({ actor, reason: "The operator deleted the account." });
  const outcome = await eraseAccount(pool, { portalId });
  if (outcome.kind !== "erased") throw new Error("someone connected the account meanwhile; run it again");
  return outcome.rows;
}

async function main(portalId: bigint): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger({ level: config.logLevel, secrets: ownSecrets(config) });
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: config.dataDir, logger })
      : undefined;
  const url = config.databaseUrl ?? embedded?.url ?? "";
  try {
    await applyMigrations({ url, logger });
    const database = openDatabase({ url, applicationName: "sequence-enroller erase", poolSize: 1, logger });
    try {
      const rows = await erase(database, portalId);
      process.stdout.write(`Account ${portalId}: ${rows} rows deleted; nothing else of it is kept.\n`);
    } finally {
      await database.close();
    }
  } catch (error) {
    logger.fatal({ err: error }, "the account is not deleted; run it again");
    process.exitCode = 1;
  } finally {
    await embedded?.stop();
  }
}

const portalId = readArguments(process.argv.slice(2));
if (portalId === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  await main(portalId);
}
