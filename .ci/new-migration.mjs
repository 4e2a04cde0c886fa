/**
 * Writes the next migration: the SQL that takes the migrated schema to prisma/schema.prisma.
 *
 *   npm run db:new-migration -- add-rotations
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { diffSchema, migrationsFolder } from "./schema-diff.mjs";

const name = process.argv[2]?.toLowerCase().replace(/[^a-z0-9]+/g, "_") ?? "";
if (name === "") {
  console.error("Give the migration a name: npm run db:new-migration -- add-rotations");
  process.exit(2);
}

const { sql, problems } = await diffSchema();
for (const problem of problems) console.error(problem);
if (sql === "" && problems.length === 0) {
  console.log("prisma/schema.prisma and prisma/migrations agree: there is nothing to migrate.");
  process.exit(0);
}

/** Sorts after every migration there is, even if a colleague's clock was ahead. */
async function nextStamp() {
  const now = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  const last = (await readdir(migrationsFolder))
    .filter((entry) => /^\d{14}_/.test(entry))
    .sort()
    .at(-1);
  const afterLast = last === undefined ? "" : String(BigInt(last.slice(0, 14)) + 1n);
  return now > afterLast ? now : afterLast;
}

const folder = path.join(migrationsFolder, `${await nextStamp()}_${name}`);
await mkdir(folder);
await writeFile(path.join(folder, "migration.sql"), sql === "" ? "-- Write the SQL here.\n" : sql);
console.log(
  `Wrote ${path.relative(process.cwd(), folder)}/migration.sql. Read it before you commit it: it may drop data.`,
);
process.exit(0);
