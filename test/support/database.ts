import { randomBytes } from "node:crypto";
import { openDatabase, type Database } from "#platform/db/client.js";
import { openDatabaseStock } from "./database-stock.js";
import { query, withDatabase } from "./sql.js";

/** A migrated, empty database of its own for one test file or one test. */
export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  /** Closes `database` and removes it with everything still connected. May be called twice. */
  readonly drop: () => Promise<void>;
}

function runVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: test/support/global-setup.js sets it for a whole jest run`);
  return value;
}

/** Makes an empty database without tables: for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  return createFrom(undefined);
}

/**
 * A migrated database without rows: one from the stock, or else a new copy of the run's template. `isFresh` where a test
 * looks at plans, which go by the pages a table once had, too.
 */
export async function createTestDatabase(
  options: { poolSize?: number; connectTimeoutMs?: number; isFresh?: boolean } = {},
): Promise<TestDatabase> {
  const { url, drop } = await createFrom(`${runVariable("TEST_DATABASE_PREFIX")}_template`, options);
  const database = openDatabase({
    url,
    applicationName: "sequence-enroller test",
    poolSize: options.poolSize ?? 10,
    // The first query of a test file compiles Prisma's, while others wait for a connection.
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
  });
  return {
    url,
    database,
    async drop() {
      await database.close();
      await drop();
    },
  };
}

async function createFrom(
  template: string | undefined,
  { isFresh = false }: { isFresh?: boolean } = {},
): Promise<{ url: string; drop: () => Promise<void> }> {
  const serverUrl = runVariable("TEST_DATABASE_SERVER_URL");
  const stock = openDatabaseStock({
    folder: runVariable("TEST_DATABASE_STOCK"),
    shape: runVariable("TEST_DATABASE_SHAPE"),
  });
  const used = template === undefined || isFresh ? undefined : stock.take();
  const name = used ?? `${runVariable("TEST_DATABASE_PREFIX")}_${randomBytes(6).toString("hex")}`;
  if (used === undefined)
    await query(serverUrl, `CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${template}`}`);
  let isGone = false;
  const url = withDatabase(serverUrl, name);
  return {
    url,
    async drop() {
      if (isGone) return;
      isGone = true;
      if (template !== undefined && (await stock.giveBack({ url, name }))) return;
      await query(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
