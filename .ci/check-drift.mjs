/** Fails where the checked-in migrations do not lead to schema.prisma. */
import { diffSchema } from "./schema-diff.mjs";

const { sql, problems } = await diffSchema();
if (sql !== "") {
  console.error(
    "prisma/schema.prisma and prisma/migrations differ. This would bring a migrated database in line:\n",
  );
  console.error(`${sql}\nWrite it as a migration: npm run db:new-migration -- <name>`);
}
for (const problem of problems) console.error(problem);
// The WebAssembly engine keeps the process alive.
process.exit(sql === "" && problems.length === 0 ? 0 : 1);
