import { ConfigError, readConfig, type Config } from "./config.js";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { DataDirInUse } from "#platform/db/errors.js";
import { AppError } from "./errors.js";
import { createLogger, type Logger } from "#platform/observability/logger.js";
import { ownSecrets } from "./compose/own-secrets.js";
import { appVersion } from "./compose/app-version.js";
import { openTracing } from "#platform/observability/tracing/open-tracing.js";
import { startProblem } from "./compose/start-problem.js";
import { listenForStop, stopWished, type StopWish } from "#platform/time/orderly-stop.js";

/** The process exits by then, even if something hangs: before a supervisor would kill it. */
const LONGEST_STOP_MS = 19_000;

/** A start that is given up closes what it has opened by then, or leaves it to the system: nobody was served yet. */
const GIVE_UP_MS = 3_000;

/** sysexits' EX_TEMPFAIL: nothing is wrong with this copy; it may be started again later. */
const EXIT_IN_USE = 75;

/** Says that the process is stopping, and ends it if that takes too long. */
async function boundStop(wish: StopWish, logger: Logger): Promise<void> {
  await stopWished(wish);
  logger.info({ signal: wish.name }, "stopping; another signal, two seconds from now, stops at once");
  setTimeout(() => {
    logger.error("stopping took too long; another process takes over the rest");
    process.exit(1);
  }, LONGEST_STOP_MS).unref();
}

/** @throws once the start has had time to end by itself after a wish to stop. */
async function givenUp(wish: StopWish): Promise<never> {
  await stopWished(wish);
  await new Promise((resolve) => setTimeout(resolve, GIVE_UP_MS).unref());
  throw new Error("the start was given up");
}

/** Another process, which starts while this one loads the rest of the app; undefined with an external server. */
function startServer(
  config: Config,
  logger: Logger,
  stopping: AbortSignal,
): Promise<EmbeddedPostgres> | undefined {
  if (config.databaseUrl !== undefined) return undefined;
  const server = startEmbeddedPostgres({ dataDir: config.dataDir, logger, stopping });
  server.catch(() => undefined);
  return server;
}

/** @returns the exit code. */
async function main(): Promise<number> {
  // Before starting anything that a signal would leave behind.
  const wish = listenForStop({ onImpatience: () => process.exit(1) });
  const config = readConfig(process.env);
  const { tracesEndpoint: endpoint, role } = config;
  const tracing = await openTracing({ endpoint, version: appVersion(), role });
  const logger = createLogger({
    level: config.logLevel,
    secrets: ownSecrets(config),
    ...(tracing && { traceparent: () => tracing.current()?.traceparent }),
  });
  for (const warning of config.warnings) logger.warn(warning);
  void boundStop(wish, logger);
  const server = startServer(config, logger, wish.signal);
  try {
    const { startApp } = await import("./app.js");
    const starting = startApp(config, logger, { server, stopping: wish.signal, tracing });
    const app = await Promise.race([starting, givenUp(wish)]);
    const { address, port } = app.address;
    logger.info(
      { role: config.role, address, port, publicUrl: config.publicUrl },
      "Sequence Enroller is listening",
    );
    await stopWished(wish);
    await app.close();
    await tracing?.close();
    return 0;
  } catch (error) {
    await server?.then((started) => started.stop()).catch(() => undefined);
    if (wish.signal.aborted) return 0;
    const problem = startProblem(error, config);
    const code = error instanceof AppError ? error.code : undefined;
    logger.fatal(
      problem === undefined ? { err: error } : { problem, code },
      "Sequence Enroller could not start",
    );
    return error instanceof DataDirInUse ? EXIT_IN_USE : 1;
  }
}

main().then(
  // At once: half-opened resources must not keep alive a process that serves nobody and is never restarted.
  (code) => process.exit(code),
  (fault: unknown) => {
    process.stderr.write(`${fault instanceof ConfigError ? fault.message : String(fault)}\n`);
    process.exit(1);
  },
);
