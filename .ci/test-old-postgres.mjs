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
  console.log("skipped: no PostgreSQL 14 to 17 in /usr/lib/postgresql");
  process.exit(0);
}
const FILES = [
  "query-plans",
  "state-model",
  "portal-lease",
  "drain-queue",
  "reliability",
  "integration/migrat",
];
console.log(`on the PostgreSQL of ${binaries}`);
const { status } = spawnSync(process.execPath, [".ci/test.mjs", "--maxWorkers=2", ...FILES], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, TEST_POSTGRES_BIN: binaries },
  timeout: 240_000,
});
process.exit(status ?? 1);
