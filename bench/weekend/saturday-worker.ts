/** The app, as built, with the senders' clock at noon of a Saturday (New York) when it starts. */
import type * as AppModule from "../../src/app.js";
import type * as ConfigModule from "../../src/config.js";
import type * as LoggerModule from "#platform/observability/logger.js";
import { SATURDAY_MS } from "./saturday.js";

const built = (name: string): string => new URL(`../../dist/${name}.js`, import.meta.url).href;

const { startApp } = (await import(built("app"))) as typeof AppModule;
const { readConfig } = (await import(built("config"))) as typeof ConfigModule;
const { createLogger } = (await import(built("platform/observability/logger"))) as typeof LoggerModule;

const offsetMs = SATURDAY_MS - Date.now();
const config = readConfig(process.env);
const logger = createLogger({ level: config.logLevel });
const app = await startApp(config, logger, { senderClock: () => new Date(Date.now() + offsetMs) });
process.once("SIGTERM", () => {
  app.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
logger.info({ port: app.address.port }, "Sequence Enroller is listening");
