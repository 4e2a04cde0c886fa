/**
 * Asks the registry for known holes in what production installs, and fails for those that are high or critical. Not every
 * registry answers that: then a line says so, and nothing fails.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const TIMEOUT_MS = 60_000;

const { stdout } = spawnSync("npm", ["audit", "--omit=dev", "--json"], {
  cwd: root,
  encoding: "utf8",
  timeout: TIMEOUT_MS,
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === "win32",
});

/** The counts by severity; undefined if the registry gave none. */
function countsOf(text) {
  try {
    return JSON.parse(text).metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}

const counts = countsOf(stdout);
if (counts === undefined) {
  console.log(
    "skipped: the registry answers no questions about advisories, so nobody looked for known holes",
  );
  process.exit(0);
}
console.log(`advisories about production's packages: ${JSON.stringify(counts)}`);
if (counts.high + counts.critical > 0) {
  console.error("npm audit --omit=dev tells which; .ci/run goes on once they are out of the tree");
  process.exit(1);
}
