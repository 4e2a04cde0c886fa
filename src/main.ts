import type { App } from "./app.js";
import { ConfigError, readConfig } from "./config.js";
import { startEmbeddedPostgres } from "./db/embedded-postgres.js";
import { createLogger } from "./observability/logger.js";

/** However long something hangs, the process is gone before a supervisor would kill it. */
const LONGEST_CLOSE_MS = 19_000;

/** Ends the process in order on the first signal, at once on the second, and after 19 s in any case. */
function closeOnSignals(app: App, logger: ReturnType<typeof createLogger>): void {
  let isClosing = false;
  const close = (signal: NodeJS.Signals): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    logger.info({ signal }, "stopping; a second signal stops at once");
    setTimeout(() => {
      logger.error("stopping took too long; what is left is taken over by another process");
      process.exit(1);
    }, LONGEST_CLOSE_MS).unref();
    app.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on("SIGTERM", close);
  process.on("SIGINT", close);
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger({ level: config.logLevel });
  for (const warning of config.warnings) logger.warn(warning);
  // Another process, which gets ready while this one loads the rest of the app.
  const server =
    config.databaseUrl === undefined ? startEmbeddedPostgres({ dataDir: config.dataDir, logger }) : undefined;
  server?.catch(() => undefined);
  try {
    const { startApp } = await import("./app.js");
    const app = await startApp(config, logger, { server });
    closeOnSignals(app, logger);
    const { address, port } = app.address;
    logger.info(
      { role: config.role, address, port, publicUrl: config.publicUrl },
      "Sequence Enroller is listening",
    );
  } catch (fault) {
    logger.fatal({ fault }, "Sequence Enroller could not start");
    // At once: whatever was opened half-way must not keep a process alive that serves nobody and is never restarted.
    process.exit(1);
  }
}

main().catch((fault: unknown) => {
  process.stderr.write(`${fault instanceof ConfigError ? fault.message : String(fault)}\n`);
  process.exit(1);
});
