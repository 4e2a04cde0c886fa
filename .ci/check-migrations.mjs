/** Refuses new migrations that would hold up a working app (migration-rules.mjs): part of `npm run validate`. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { problemsOf } from "./migration-rules.mjs";

const folder = fileURLToPath(new URL("../prisma/migrations", import.meta.url));
/** Written before there was this check, and applied: nothing is added here. */
const LAST_EXCUSED = "20261126160532";

const problems = readdirSync(folder)
  .filter((name) => /^\d{14}_/.test(name) && name.slice(0, 14) > LAST_EXCUSED)
  .flatMap((name) =>
    problemsOf(readFileSync(path.join(folder, name, "migration.sql"), "utf8")).map(
      (problem) => `${name}: ${problem}`,
    ),
  );
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
