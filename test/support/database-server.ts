import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startEmbeddedPostgres } from "../../src/db/embedded-postgres.js";
import { applyMigrations } from "../../src/db/migrate.js";
import { createLogger } from "../../src/observability/logger.js";
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

/**
 * The server of DATABASE_URL if it is set; one of the binaries in the folder TEST_POSTGRES_BIN if that is; otherwise an
 * embedded one. What is started has a folder that goes afterwards.
 */
async function findServer(): Promise<Server> {
  const given = process.env["DATABASE_URL"];
  if (given !== undefined && given !== "") return { url: given, stop: () => Promise.resolve() };
  const binaries = process.env["TEST_POSTGRES_BIN"];
  if (binaries !== undefined && binaries !== "") return startInstalledPostgres(binaries);
  const dataDir = await mkdtemp(path.join(tmpdir(), "sequence-enroller-test-"));
  // mkdtemp makes it 0700; as root the server runs under another account, which must get in.
  await chmod(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir, logger });
  // Nothing here outlives the run, and what has to survive a crash is tested on servers of their own. Autovacuum would go
  // through a hundred small databases over and over.
  for (const setting of ["fsync", "full_page_writes", "autovacuum"])
    await query(server.url, `ALTER SYSTEM SET ${setting} = off`);
  await query(server.url, `SELECT pg_reload_conf()`);
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Starts what a whole test run shares: a server, and on it a migrated database to copy. */
export async function startRunDatabase(): Promise<RunDatabase & { stop(): Promise<void> }> {
  const server = await findServer();
  const prefix = `enroller_test_${randomBytes(4).toString("hex")}`;
  const template = `${prefix}_template`;
  await query(server.url, `CREATE DATABASE ${template}`);
  await applyMigrations({ url: withDatabase(server.url, template), logger });
  const shape = await shapeOf(withDatabase(server.url, template));
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

async function dropAll(serverUrl: string, prefix: string): Promise<void> {
  const rows = await query(
    serverUrl,
    "SELECT datname FROM pg_database WHERE starts_with(datname::text, $1)",
    [prefix],
  );
  for (const { datname } of rows)
    await query(serverUrl, `DROP DATABASE IF EXISTS ${String(datname)} WITH (FORCE)`);
}
