import { startEmbeddedPostgres } from "../../src/db/embedded-postgres.js";
import { createLogger } from "../../src/observability/logger.js";

/** A process that owns an embedded server: prints its URL, stops on SIGTERM, and may be killed. Argument: DATA_DIR. */
const logger = createLogger({ level: "warn", destination: process.stderr });
const server = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? "", logger });
process.stdout.write(`${server.url}\n`);
process.once("SIGTERM", () => void server.stop());
