import { startEmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { createLogger } from "#platform/observability/logger.js";

/**
 * A process that owns an embedded server: prints its URL, stops on SIGTERM, and may be killed. If it cannot start it says
 * why on standard error and ends with 1. Arguments: DATA_DIR, and how many ms it waits for another owner.
 */
const [dataDir = "", patience] = process.argv.slice(2);
const logger = createLogger({ level: "silent" });
const patienceMs = patience === undefined ? {} : { patienceMs: Number(patience) };
try {
  const server = await startEmbeddedPostgres({ dataDir, logger, ...patienceMs });
  // Before the URL goes out: whoever reads it may stop this process at once.
  process.once("SIGTERM", () => void server.stop());
  process.stdout.write(`${server.url}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
