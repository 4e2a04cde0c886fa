/**
 * Every check there is, stopping at the first that fails: `npm run validate`.
 *
 *   --skip-tests   for .ci/run alone, which has just run `npm test`
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (path) => `node_modules/${path}`;

/** Each stage: its name, and what it runs with this same Node. */
const STAGES = [
  ["format", [bin("prettier/bin/prettier.cjs"), "--check", "--log-level", "warn", "."]],
  ["lint", [bin("eslint/bin/eslint.js"), "-c", ".ci/eslint.config.js", "--max-warnings", "0", "."]],
  ["words", [".ci/check-words.mjs"]],
  [
    "who imports whom",
    [bin("dependency-cruiser/bin/dependency-cruise.mjs"), "-c", ".ci/dependency-rules.cjs", "src"],
  ],
  ["types", [bin("typescript/bin/tsc"), "-p", ".", "--noEmit"]],
  ["types of tests", [bin("typescript/bin/tsc"), "-p", "test/tsconfig.json"]],
  ["unused exports", [bin("knip/bin/knip.js"), "--config", ".knip.json"]],
  ["tests", [".ci/test.mjs"]],
  ["older PostgreSQL", [".ci/test-old-postgres.mjs"]],
  ["migration drift", [".ci/check-drift.mjs"]],
  ["migrations beside a working app", [".ci/check-migrations.mjs"]],
  [".env.example", [".ci/check-env-example.mjs"]],
];

const skipTests = process.argv.includes("--skip-tests");
for (const [name, command] of STAGES) {
  if (skipTests && name === "tests") continue;
  const startedAt = Date.now();
  console.log(`validate: ${name} …`);
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    console.error(`validate: ${name} FAILED`);
    process.exit(1);
  }
  console.log(`validate: ${name} ok (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
}
