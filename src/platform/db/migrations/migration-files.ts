import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** One folder of prisma/migrations. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** sha256 of migration.sql in hex, as Prisma stores it. */
  readonly checksum: string;
  /** False if the file says `-- migrate: no-transaction`: one statement PostgreSQL refuses inside a transaction. */
  readonly inTransaction: boolean;
  /** The index it builds outside a transaction, if that is what it does: an interrupted build can start again. */
  readonly builtIndex: string | undefined;
}

/** prisma/migrations, resolved from src/ and from dist/ alike. */
export const migrationsDirectory = fileURLToPath(new URL("../../../../prisma/migrations", import.meta.url));

const NO_TRANSACTION = /^--\s*migrate:\s*no-transaction\s*$/m;
const INDEX_BUILD =
  /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"([^"]+)"|(\w+))/im;

/** Reads all migrations in the order in which they apply: by name, which starts with a timestamp. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(names.sort().map((name) => readMigration(directory, name)));
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const sql = await readFile(path.join(directory, name, "migration.sql"), "utf8");
  const inTransaction = !NO_TRANSACTION.test(sql);
  const build = inTransaction ? null : INDEX_BUILD.exec(sql);
  return {
    name,
    sql,
    checksum: createHash("sha256").update(sql).digest("hex"),
    inTransaction,
    builtIndex: build === null ? undefined : (build[1] ?? build[2]),
  };
}
