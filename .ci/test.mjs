/**
 * Runs jest with what it needs for ES modules. Arguments are jest's: `npm test -- redact --watch`.
 *
 * Without a path the suite runs in two passes: most files side by side, since they mostly wait; then, one at a time,
 * those that judge how soon something happens, or start and kill processes. `--json --outputFile=…` tells of both.
 */
import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const flags = ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"];
const jest = "node_modules/jest/bin/jest.js";

/** Files whose result depends on how busy the machine is. */
const ALONE = [
  "/embedded-postgres.test",
  "/drain-queue.test",
  "/pacing.test",
  "/portal-lease.test",
  "/process-",
  "/queue-spread.test",
  "/sender-processes.test",
  "/silent-network.test",
  "/storage-faults.test",
];
/** Files side by side: on two cores a third has something to do while the others wait. */
const WORKERS = 3;

let running;
// Ctrl-C reaches jest by itself, which then stops the database; this process only waits. kill does not, so pass it on.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => running?.kill("SIGTERM"));

/** @returns jest's exit code; a number of its own where a signal ended it. */
function runJest(args) {
  running = spawn(process.execPath, [...flags, jest, "-c", "test/jest.config.js", ...args], {
    cwd: root,
    stdio: "inherit",
  });
  return new Promise((resolve) => running.once("exit", (code) => resolve(code ?? 130)));
}

/** One summary of several: every count added up. */
function addUp(summaries) {
  const sum = { success: summaries.every(({ success }) => success) };
  for (const summary of summaries) {
    for (const [name, value] of Object.entries(summary))
      if (name.startsWith("num")) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

async function runWhole(args) {
  const outputFile = args.find((arg) => arg.startsWith("--outputFile="))?.slice("--outputFile=".length);
  const others = args.filter((arg) => !arg.startsWith("--outputFile="));
  const passes = [
    [`--maxWorkers=${WORKERS}`, ...ALONE.map((pattern) => `--testPathIgnorePatterns=${pattern}`)],
    ["--runInBand", ...ALONE.map((pattern) => `--testPathPatterns=${pattern}`)],
  ];
  const [codes, summaries] = [[], []];
  for (const [index, pass] of passes.entries()) {
    const part = outputFile === undefined ? [] : [`--outputFile=${outputFile}.${index}`];
    codes.push(await runJest([...pass, ...others, ...part]));
    if (codes.at(-1) === 130) break;
    if (outputFile === undefined) continue;
    summaries.push(JSON.parse(readFileSync(`${outputFile}.${index}`, "utf8")));
    rmSync(`${outputFile}.${index}`);
  }
  if (outputFile !== undefined) writeFileSync(outputFile, JSON.stringify(addUp(summaries)));
  return Math.max(...codes);
}

const args = process.argv.slice(2);
const isWhole = args.every((arg) => arg.startsWith("--json") || arg.startsWith("--outputFile="));
process.exit(isWhole ? await runWhole(args) : await runJest(args));
