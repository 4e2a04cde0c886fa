import { readDatabaseConfig } from "../config.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { AppError } from "../errors.js";
import { ownSecrets } from "../compose/own-secrets.js";
import { createLogger } from "#platform/observability/logger.js";
import { withDatabaseUrl } from "./tool-database.js";

/** `npm run db:migrate`: brings the database of DATABASE_URL, or the embedded one under DATA_DIR, up to date. */
async function migrate(): Promise<void> {
  const config = readDatabaseConfig(process.env);
  const logger = createLogger({ level: config.logLevel, secrets: ownSecrets(config) });
  const applied = await withDatabaseUrl(config, logger, (url) => applyMigrations({ url, logger }));
  console.log(applied.length === 0 ? "The database is up to date." : `Applied: ${applied.join(", ")}.`);
}

try {
  await migrate();
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
