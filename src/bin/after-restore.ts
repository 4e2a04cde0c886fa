/**
 * Run it once after restoring a backup, or after an asynchronous standby took over, before starting the app
 * (docs/runbook.md): executions that the database calls queued may have been sent since, and are read from HubSpot
 * first. Running it twice does no harm.
 */
import { readConfig } from "../config.js";
import { openDatabase } from "#platform/db/client.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { markAllUncertain } from "#domain/executions/mark-all-uncertain.js";
import { ownSecrets } from "../compose/own-secrets.js";
import { createLogger } from "#platform/observability/logger.js";
import { withDatabaseUrl } from "./tool-database.js";

/** It reads all of a large history. */
const LONGEST_MS = 3_600_000;

const config = readConfig(process.env);
const logger = createLogger({ level: config.logLevel, secrets: ownSecrets(config) });

async function markUncertain(url: string): Promise<void> {
  await applyMigrations({ url, logger });
  const database = openDatabase({
    url,
    applicationName: "sequence-enroller after-restore",
    poolSize: 1,
    logger,
    statementTimeoutMs: LONGEST_MS,
  });
  try {
    const { enrollments, portals } = await markAllUncertain(database.pool);
    process.stdout.write(
      `Undecided enrollments that are now read from HubSpot before anything is sent: ${enrollments}\n` +
        `Accounts whose earlier workers can write nothing anymore: ${portals}\n` +
        `Nothing was sent. Start the app now.\n`,
    );
  } finally {
    await database.close();
  }
}

try {
  await withDatabaseUrl(config, logger, markUncertain);
} catch (error) {
  logger.fatal({ err: error }, "nothing was changed; do not start the app before this has succeeded");
  process.exitCode = 1;
}
