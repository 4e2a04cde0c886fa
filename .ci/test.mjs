/**
 * Runs jest on the modules as Node loads them (test/shared-modules). Arguments are jest's: `npm test -- redact --watch`.
 *
 * Without a path the suite runs in two passes: most files side by side, since they mostly wait; then, one at a time,
 * those that judge how soon something happens. With `--long` it is the files of `test/long` instead, one at a time: they
 * start and kill processes, let days of sending pass, or look at the site in a browser.
 * `--json --outputFile=…` tells of all passes. `--second-look` is second-look.mjs.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { lookAgain } from "./second-look.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Most of what a test makes is garbage at once: with room for more of it, it is collected less often (Node's default is 16). */
const YOUNG_MB = 32;
/** The files of a worker share the product's modules; with TEST_WORLDS=apart each loads them again (test/jest.apart.config.js). */
const isApart = process.env.TEST_WORLDS === "apart";
const flags = ["--import=./test/shared-modules/register.mjs", `--max-semi-space-size=${YOUNG_MB}`];
if (isApart) flags.push("--experimental-vm-modules", "--disable-warning=ExperimentalWarning");
const config = isApart ? "test/jest.apart.config.js" : "test/jest.config.js";
const jest = "node_modules/jest/bin/jest.js";

/** Files whose result depends on how busy the machine is. */
const ALONE = [
  "/integration/actions/accept-limits.test",
  "/integration/kit/connections.test",
  "/integration/queue/drain-queue.test",
  "/integration/drain/event-loop-halts.test",
  "/integration/kit/hostile-bodies.test",
  "/integration/kit/hostile-requests.test",
  "/integration/queue/portal-lease.test",
  "/integration/queue/queue-spread.test",
];
const missing = ALONE.filter((name) => !existsSync(`${root}test${name}.ts`));
if (missing.length > 0)
  throw new Error(`.ci/test.mjs names test files that are not there: ${missing.join(", ")}`);
const LONG = "/test/long/";
/** Random walks: a few each time, many more with the long tests. */
const MODEL = "/executions/state-model.test";
/** Files side by side: three for each of the two cores there are at the least, since a file works for less than half of its time. */
const WORKERS = 6;
/** What files leave behind stays in their worker; beyond this much a new worker costs less than collecting its garbage. */
const WORKER_MEMORY = "1GB";

const PASSES = {
  default: [
    [
      `--maxWorkers=${WORKERS}`,
      `--workerIdleMemoryLimit=${WORKER_MEMORY}`,
      ...[LONG, ...ALONE].map((pattern) => `--testPathIgnorePatterns=${pattern}`),
    ],
    ["--runInBand", ...ALONE.map((pattern) => `--testPathPatterns=${pattern}`)],
  ],
  long: [["--runInBand", `--testPathPatterns=${LONG}`, `--testPathPatterns=${MODEL}`]],
};

let running;
// Ctrl-C reaches jest by itself, which then stops the database; this process only waits. kill does not, so pass it on.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => running?.kill("SIGTERM"));

/** @returns jest's exit code; a number of its own where a signal ended it. */
function runJest(args) {
  running = spawn(process.execPath, [...flags, jest, "-c", config, ...args], {
    cwd: root,
    stdio: "inherit",
  });
  return new Promise((resolve) => running.once("exit", (code) => resolve(code ?? 130)));
}

/** One summary of several: every count added up, every file's result with the others. */
function addUp(summaries) {
  const sum = {
    success: summaries.every(({ success }) => success),
    testResults: summaries.flatMap(({ testResults }) => testResults),
  };
  for (const summary of summaries) {
    for (const [name, value] of Object.entries(summary))
      if (name.startsWith("num")) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

async function runPasses(passes, args, looksAgain) {
  const outputFile = args.find((arg) => arg.startsWith("--outputFile="))?.slice("--outputFile=".length);
  const others = args.filter((arg) => !arg.startsWith("--outputFile="));
  // In CI something left open must not hold up what comes next: jest names it and ends.
  if (looksAgain) others.push("--forceExit");
  const [codes, summaries] = [[], []];
  for (const [index, pass] of passes.entries()) {
    const part = outputFile === undefined ? [] : [`--outputFile=${outputFile}.${index}`];
    codes.push(await runJest([...pass, ...others, ...part]));
    if (codes.at(-1) === 130) break;
    if (outputFile === undefined) continue;
    summaries.push(JSON.parse(readFileSync(`${outputFile}.${index}`, "utf8")));
    rmSync(`${outputFile}.${index}`);
  }
  if (outputFile === undefined) return Math.max(...codes);
  const whole =
    codes.includes(130) || !looksAgain ? summaries : await lookAgain(summaries, { outputFile, runJest });
  const sum = addUp(whole);
  writeFileSync(outputFile, JSON.stringify(sum));
  if (whole === summaries) return Math.max(...codes);
  return sum.success ? 0 : 1;
}

const args = process.argv.slice(2).filter((arg) => arg !== "--long" && arg !== "--second-look");
if (args.some((arg) => arg.startsWith("--watch"))) process.env.WATCHES_SOURCES = "true";
if (process.argv.includes("--long")) process.env.MODEL_RUNS ??= "150";
const isWhole = args.every((arg) => arg.startsWith("--json") || arg.startsWith("--outputFile="));
const passes = process.argv.includes("--long") ? PASSES.long : PASSES.default;
process.exit(
  isWhole ? await runPasses(passes, args, process.argv.includes("--second-look")) : await runJest(args),
);
