import { readDatabaseConfig } from "../config.js";
import { startEmbeddedPostgres } from "../db/embedded-postgres.js";
import { applyMigrations } from "../db/migrate.js";
import { AppError } from "../errors.js";
import { createLogger } from "../observability/logger.js";

/** `npm run db:migrate`: brings the database of DATABASE_URL, or the embedded one under DATA_DIR, up to date. */
async function migrate(): Promise<void> {
  const config = readDatabaseConfig(process.env);
  const logger = createLogger({ level: config.logLevel });
  const { dataDir, databaseUrl } = config;
  const embedded = databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir, logger }) : undefined;
  try {
    const applied = await applyMigrations({ url: embedded?.url ?? databaseUrl ?? "", logger });
    console.log(applied.length === 0 ? "The database is up to date." : `Applied: ${applied.join(", ")}.`);
  } finally {
    await embedded?.stop();
  }
}

try {
  await migrate();
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
