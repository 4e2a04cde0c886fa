import { startEmbeddedPostgres } from "../../src/db/embedded-postgres.js";
import { createLogger } from "../../src/observability/logger.js";

/** A process that owns an embedded server: prints its URL, stops on SIGTERM, and may be killed. Argument: DATA_DIR. */
const logger = createLogger({ level: "warn", destination: process.stderr });
const server = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? "", logger });
// Before the URL goes out: whoever reads it may stop this process at once.
process.once("SIGTERM", () => void server.stop());
process.stdout.write(`${server.url}\n`);
