import type { DatabaseConfig } from "../config.js";
import { startEmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import type { Logger } from "#platform/observability/logger.js";

/**
 * Lets a tool work on the database of DATABASE_URL, or on the embedded one: with the running server if the app runs,
 * and otherwise with one that is stopped afterward.
 *
 * @throws what startEmbeddedPostgres throws; DataDirInUse if the app runs where this process cannot reach it.
 */
export async function withDatabaseUrl<Result>(
  { databaseUrl, dataDir }: Pick<DatabaseConfig, "databaseUrl" | "dataDir">,
  logger: Logger,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  if (databaseUrl !== undefined) return work(databaseUrl);
  const embedded = await startEmbeddedPostgres({ dataDir, logger });
  try {
    return await work(embedded.url);
  } finally {
    await embedded.stop();
  }
}
