/**
 * Compares the checked-in migrations with schema.prisma, offline: the migrations run in an in-memory PGlite, and Prisma's
 * schema engine (its WebAssembly build) compares the result with the schema. No server, no download. It is given nothing
 * but that scratch database: some of the engine's commands run migrations on whatever they are connected to.
 */
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import { PGlite } from "@electric-sql/pglite";
import { PrismaPGlite } from "pglite-prisma-adapter";
import { readFile, readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const migrationsFolder = path.join(root, "prisma", "migrations");

async function loadEngine() {
  const require = createRequire(import.meta.url);
  const bindings = await import("@prisma/schema-engine-wasm/schema_engine_bg");
  const folder = path.dirname(require.resolve("@prisma/schema-engine-wasm"));
  const wasm = await readFile(path.join(folder, "schema_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(wasm, { "./schema_engine_bg.js": bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings.SchemaEngine;
}

async function applyMigrations(database) {
  const entries = await readdir(migrationsFolder, { withFileTypes: true });
  for (const name of entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()) {
    await database.exec(await readFile(path.join(migrationsFolder, name, "migration.sql"), "utf8"));
  }
}

/** What PostgreSQL has and Prisma's schema language cannot say, so that the engine passes over it in silence. */
const SQL_ONLY = `
  SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
   WHERE c.relnamespace = 'public'::regnamespace AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL)
  UNION ALL
  SELECT conname FROM pg_constraint
   WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'x')
  UNION ALL
  SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
  ORDER BY name`;

/** Such things are named in schema.prisma by a comment: `// sql-only: name`. */
async function compareSqlOnly(database, schema) {
  const { rows } = await database.query(SQL_ONLY);
  const migrated = new Set(rows.map((row) => row.name));
  const named = new Set([...schema.matchAll(/^\s*\/\/ sql-only: (\w+)/gm)].map((match) => match[1]));
  return [
    ...[...migrated]
      .filter((name) => !named.has(name))
      .map((name) => `${name} comes from a migration: name it in schema.prisma (// sql-only: ${name})`),
    ...[...named]
      .filter((name) => !migrated.has(name))
      .map((name) => `${name} is named in schema.prisma, but no migration makes it, or one removed it`),
  ];
}

async function compareSchema(database, content) {
  const files = [{ path: "schema.prisma", content }];
  const SchemaEngine = await loadEngine();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(database));
  const engine = await SchemaEngine.new(
    { datamodels: [["schema.prisma", content]] },
    () => undefined,
    adapter,
  );
  const difference = await engine.diff({
    from: { tag: "schemaDatasource", files, configDir: root },
    to: { tag: "schemaDatamodel", files },
    script: true,
    exitCode: true,
    shadowDatabaseUrl: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  return difference.exitCode === 0 ? "" : (difference.stdout ?? "");
}

/**
 * @returns {Promise<{ sql: string, problems: string[] }>} `sql` would bring a migrated database in line with
 *   schema.prisma, empty if it is; `problems` are differences Prisma cannot put into SQL.
 */
export async function diffSchema() {
  const content = await readFile(path.join(root, "prisma", "schema.prisma"), "utf8");
  const database = new PGlite();
  try {
    await applyMigrations(database);
    return { sql: await compareSchema(database, content), problems: await compareSqlOnly(database, content) };
  } finally {
    await database.close();
  }
}
