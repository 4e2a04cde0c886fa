import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { findServerAccount } from "#platform/db/embedded/server-account.js";
import { findServerBinaries } from "#platform/db/embedded/server-binaries.js";
import { createLogger } from "#platform/observability/logger.js";
import { openBoss } from "#platform/queue/open-boss.js";
import { shapeOf } from "./database-stock.js";
import { startInstalledPostgres } from "./installed-postgres.js";
import { query, withDatabase } from "./sql.js";

const logger = createLogger({ level: "warn" });

/** What the run's test files find in their environment. */
export interface RunDatabase {
  /** URL of a database on the server that may be connected to for CREATE DATABASE. */
  readonly serverUrl: string;
  /** Start of the name of every database of this run; the template bears it too. */
  readonly prefix: string;
  /** Folder of the stock of used databases, and what each of them has to look like (database-stock.ts). */
  readonly stockDir: string;
  readonly shape: string;
}

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** As the embedded server's (src/platform/db/embedded/cluster.ts). */
const LOCALE = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];

/** The server of DATABASE_URL if it is set; one of the programs in the folder TEST_POSTGRES_BIN if that is; else of the bundled ones. */
async function findServer(): Promise<Server> {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") return { url: given, stop: () => Promise.resolve() };
  const installed = process.env["TEST_POSTGRES_BIN"];
  if (installed !== undefined && installed !== "") return startInstalledPostgres(installed);
  // Where the server's account cannot read node_modules, the programs are copied here.
  const home = await mkdtemp(path.join(tmpdir(), "sequence-enroller-test-"));
  await chmod(home, 0o755);
  const { postgres } = await findServerBinaries({ account: await findServerAccount(), home });
  const server = await startInstalledPostgres(path.dirname(postgres), { locale: LOCALE });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Starts what a whole test run shares: a server, and on it a migrated database to copy. */
export async function startRunDatabase(): Promise<RunDatabase & { stop(): Promise<void> }> {
  const server = await findServer();
  const prefix = `enroller_test_${randomBytes(4).toString("hex")}`;
  const template = `${prefix}_template`;
  await query(server.url, `CREATE DATABASE ${template}`);
  const url = withDatabase(server.url, template);
  await applyMigrations({ url, logger });
  await createQueue(url);
  const shape = await shapeOf(url);
  const stockDir = await mkdtemp(path.join(tmpdir(), `${prefix}-`));
  return {
    serverUrl: server.url,
    prefix,
    stockDir,
    shape,
    async stop() {
      await dropAll(server.url, prefix);
      await rm(stockDir, { recursive: true, force: true });
      await server.stop();
    },
  };
}

/** An app creates its queue at its first start: half a second that no test has to wait for. */
async function createQueue(databaseUrl: string): Promise<void> {
  const queue = await openBoss({ databaseUrl, logger, applicationName: "sequence-enroller tests" });
  await queue.stop();
}

async function dropAll(serverUrl: string, prefix: string): Promise<void> {
  const rows = await query(
    serverUrl,
    "SELECT datname FROM pg_database WHERE starts_with(datname::text, $1)",
    [prefix],
  );
  for (const { datname } of rows)
    await query(serverUrl, `DROP DATABASE IF EXISTS ${String(datname)} WITH (FORCE)`);
}
