import type { Config } from "../config.js";
import { openDatabase, type Database } from "#platform/db/client.js";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { checkRights } from "#platform/db/check-rights.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import type { TroubleLog } from "#platform/db/trouble-log.js";
import { waitForDatabase } from "#platform/db/wait-for-database.js";
import type { Logger } from "#platform/observability/logger.js";
import { unlessStopped } from "#platform/time/orderly-stop.js";
import type { Closers } from "./closers.js";

/** One process's connections to PostgreSQL, besides the queue's few and the settings site's. */
const POOL_SIZE = 16;
/**
 * Separate connections of the settings site and the tab: admins' requests take none from calls and work, in any
 * account.
 */
const SITE_POOL_SIZE = 8;
/** Pages are answered by then (site.ts): a statement that still runs serves nobody, and would keep its connection. */
export const SITE_TIMEOUT_MS = 5_000;
/** Shorter than a page's total time: it can then say that the database is busy. */
const SITE_LOCK_TIMEOUT_MS = 3_000;
/** A page makes several queries on few connections, and a person waits for it: longer than a call from HubSpot may. */
const SITE_CONNECT_TIMEOUT_MS = 3_000;

/** What is known before anything is opened. */
interface DatabaseOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** The embedded server, if it is already starting. */
  readonly server?: Promise<EmbeddedPostgres> | undefined;
  /** Ends the waits of the start. */
  readonly stopping?: AbortSignal | undefined;
}

/** What is reported about a pool of connections. */
export interface DatabaseEvents {
  readonly onFault: TroubleLog["report"];
  readonly onPoolWait: (waitedMs: number) => void;
}

/** Starts the embedded server unless there is an address, migrates, and connects for calls and work. */
export async function openDatabaseOf(
  { config, logger, server: starting, stopping }: DatabaseOptions,
  closers: Closers,
  { onFault, onPoolWait }: DatabaseEvents,
): Promise<Database> {
  let url = config.databaseUrl;
  if (url === undefined) {
    const server = await (starting ?? startEmbeddedPostgres({ dataDir: config.dataDir, logger }));
    closers.add(() => server.stop());
    ({ url } = server);
  }
  const connectTimeoutMs = config.databaseConnectTimeoutMs;
  await applyMigrations({ url, logger, stopping, ...(connectTimeoutMs && { connectTimeoutMs }) });
  const applicationName = `sequence-enroller-${config.role}`;
  const options = { url, applicationName, poolSize: POOL_SIZE, onFault, logger, onPoolWait };
  const database = openDatabase({ ...options, ...(connectTimeoutMs && { connectTimeoutMs }) });
  closers.add(() => database.close());
  await unlessStopped(
    waitForDatabase(() => checkRights(database.pool), { logger, stopping }),
    stopping,
  );
  return database;
}

/** The connections of pages; undefined if the process serves none. */
export function openSiteDatabase(
  { config, logger }: DatabaseOptions,
  { url }: Database,
  { onFault, onPoolWait }: DatabaseEvents,
): Database | undefined {
  if (config.role === "worker") return undefined;
  return openDatabase({
    url,
    applicationName: "sequence-enroller-site",
    onFault,
    onPoolWait,
    logger,
    poolSize: SITE_POOL_SIZE,
    connectTimeoutMs: Math.max(config.databaseConnectTimeoutMs ?? 0, SITE_CONNECT_TIMEOUT_MS),
    statementTimeoutMs: SITE_TIMEOUT_MS,
    lockTimeoutMs: SITE_LOCK_TIMEOUT_MS,
  });
}
