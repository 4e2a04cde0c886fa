import { randomBytes } from "node:crypto";
import { openDatabase, type Database } from "../../src/db/client.js";
import { query, withDatabase } from "./database-server.js";

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

/** Copies the run's migrated template: some 50 ms. */
export async function createTestDatabase(
  options: { poolSize?: number; connectTimeoutMs?: number } = {},
): Promise<TestDatabase> {
  const { url, drop } = await createFrom(`${runVariable("TEST_DATABASE_PREFIX")}_template`);
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

async function createFrom(template: string | undefined): Promise<{ url: string; drop: () => Promise<void> }> {
  const serverUrl = runVariable("TEST_DATABASE_SERVER_URL");
  const name = `${runVariable("TEST_DATABASE_PREFIX")}_${randomBytes(6).toString("hex")}`;
  await query(serverUrl, `CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${template}`}`);
  return {
    url: withDatabase(serverUrl, name),
    drop: () => query(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).then(() => undefined),
  };
}
