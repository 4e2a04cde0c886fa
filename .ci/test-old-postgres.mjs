/**
 * Runs what touches the database most on Debian's PostgreSQL, which is older than the embedded one, if it is installed:
 *
 *   node .ci/test-old-postgres.mjs
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const binaries = ["14", "15", "16", "17"]
  .map((version) => `/usr/lib/postgresql/${version}/bin`)
  .find((folder) => existsSync(folder));
if (binaries === undefined) {
  console.log(
    "skipped: PostgreSQL 15 is not installed (nor 14, 16 or 17) in /usr/lib/postgresql, so nothing ran on an older server",
  );
  process.exit(0);
}
const FILES = [
  "query-plans",
  "state-model",
  "portal-lease",
  "drain-queue",
  "reliability",
  "held-rows",
  "integration/db/migrat",
];
console.log(`on the PostgreSQL of ${binaries}`);
const { status } = spawnSync(process.execPath, [".ci/test.mjs", "--maxWorkers=2", ...FILES], {
  cwd: root,
  stdio: "inherit",
  // A third of the drawn runs: what differs between servers shows in the statements, not in the steps' order.
  env: { MODEL_RUNS: "20", ...process.env, TEST_POSTGRES_BIN: binaries },
  timeout: 240_000,
});
process.exit(status ?? 1);
