/**
 * Makes a clean clone ready to run, with nothing but Node and npm: dependencies, the Prisma client, the build. Plain
 * JavaScript without dependencies, since it runs before there are any. Says one line for each thing it does, nothing
 * when all is in place.
 *
 *   node scripts/prepare.mjs            dependencies and Prisma client
 *   node scripts/prepare.mjs --build    and dist/
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...parts) => path.join(root, ...parts);

const OLDEST_NODE = [20, 19];
const GENERATED = at("src", "platform", "db", "generated");

/** Thrown where preparing cannot go on; the message is all a reader needs. */
class NotReady extends Error {}

function say(line) {
  process.stderr.write(`prepare: ${line}\n`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [needMajor, needMinor] = OLDEST_NODE;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    throw new NotReady(`Node ${OLDEST_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`);
  }
}

/** Runs a program to its end. Its output is shown only where it fails, so that a good run stays one line. */
function run(command, args, { env = {}, failure }) {
  const result = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: command === "npm" && process.platform === "win32",
  });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  throw new NotReady(`${failure}${result.error === undefined ? "" : ` (${result.error.message})`}`);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/**
 * Tells why `npm ci` is due, or undefined. npm writes node_modules/.package-lock.json last and lists there what it
 * really installed, so an interrupted install shows too. Optional packages may be missing: they are other platforms'.
 */
function dependenciesProblem({ withDevelopment }) {
  const installed = readJson(at("node_modules", ".package-lock.json"))?.packages;
  if (installed === undefined) return "they are not installed";
  const wanted = readJson(at("package-lock.json"))?.packages ?? {};
  for (const [name, entry] of Object.entries(wanted)) {
    if (name === "" || entry.link === true) continue;
    const found = installed[name]?.version;
    const mayBeMissing =
      entry.optional === true || entry.devOptional === true || (entry.dev === true && !withDevelopment);
    if (found === undefined ? !mayBeMissing : found !== entry.version) {
      return `${name.replace(/^.*node_modules\//, "")} is ${found ?? "missing"}, the lock file has ${entry.version}`;
    }
  }
  return undefined;
}

/**
 * Nothing is downloaded, and no package's script run, by a service in production: what runs there was put there, and tried,
 * before.
 */
function refuseInProduction(problem, { withDevelopment }) {
  if (process.env["NODE_ENV"] !== "production") return;
  const remedy = withDevelopment
    ? "dist/ has to be built first: run `npm ci --include=dev` and `npm run build`"
    : "run `npm ci --omit=dev`";
  throw new NotReady(
    `nothing is installed with NODE_ENV=production (${problem}); ${remedy}, then start again.`,
  );
}

function installDependencies({ withDevelopment }) {
  const problem = dependenciesProblem({ withDevelopment });
  if (problem === undefined) return;
  refuseInProduction(problem, { withDevelopment });
  say(`installing dependencies with npm ci, about a minute (${problem})`);
  const npm = process.env["npm_execpath"];
  const viaNode = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const args = ["ci", "--include=dev", "--ignore-scripts", "--loglevel=error", "--no-progress"];
  run(viaNode ? process.execPath : "npm", viaNode ? [npm, ...args] : args, {
    failure: "npm ci failed: see its output above.",
  });
}

function hash(parts) {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part).update("\0");
  return sum.digest("hex");
}

/** Under a name of its own: as `prisma` it would be an optional peer of the client, which npm keeps in production. */
const PRISMA_CLI = "prisma-cli";
const prismaCli = at("node_modules", PRISMA_CLI, "build", "index.js");

function prismaClientStamp() {
  const version = readJson(at("node_modules", PRISMA_CLI, "package.json"))?.version ?? "";
  return hash([readText(at("prisma", "schema.prisma")) ?? "", version]);
}

/** `prisma generate` runs on WebAssembly, but insists on a schema engine it would download: give it the stand-in. */
function prismaEnvironment() {
  if (process.platform === "win32") return {};
  const standIn = at(".ci", "no-schema-engine.sh");
  chmodSync(standIn, 0o755);
  return { PRISMA_SCHEMA_ENGINE_BINARY: standIn, PRISMA_HIDE_UPDATE_MESSAGE: "1", CHECKPOINT_DISABLE: "1" };
}

/** Generates the Prisma client where it is missing, or made from another schema or by another Prisma. */
function generatePrismaClient() {
  const stampFile = path.join(GENERATED, ".stamp");
  const stamp = prismaClientStamp();
  if (existsSync(path.join(GENERATED, "client.ts")) && readText(stampFile) === stamp) return;
  say("generating the Prisma client");
  run(process.execPath, [prismaCli, "generate", "--config", at("prisma", "prisma.config.ts")], {
    env: prismaEnvironment(),
    failure: "prisma generate failed: see its output above.",
  });
  writeFileSync(stampFile, stamp);
}

/** Every file under src/ but the generated client, whose source (schema.prisma) is hashed instead. */
function sourceFiles() {
  return readdirSync(at("src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.startsWith(GENERATED + path.sep))
    .sort();
}

function buildStamp() {
  const inputs = [
    ...sourceFiles(),
    ...["package.json", "tsconfig.json", "prisma/schema.prisma"].map((name) => at(name)),
  ];
  return hash(inputs.flatMap((file) => [path.relative(root, file), readFileSync(file)]));
}

const buildStampFile = at("dist", ".stamp");

/** A production folder has no src/ to compare the build with: there the build is what was put there. */
function isBuilt() {
  if (!existsSync(buildStampFile)) return false;
  return !existsSync(at("src")) || readText(buildStampFile) === buildStamp();
}

/** What tsc leaves behind: stylesheets, pictures, browser scripts. */
function copyAssets(target) {
  for (const file of sourceFiles()) {
    if (/\.(tsx?|mjs)$/.test(file)) continue;
    cpSync(file, path.join(target, path.relative(at("src"), file)));
  }
}

/** What Node reads for the files of dist/: the same `#domain/…` imports, which lead to src/ everywhere else. */
function distPackage() {
  const { type, imports } = readJson(at("package.json"));
  const built = Object.entries(imports).map(([name, target]) => [name, target.replace("./src/", "./")]);
  return `${JSON.stringify({ type, imports: Object.fromEntries(built) }, null, 2)}\n`;
}

/**
 * Compiles into a folder of its own and moves it into place whole: a second process that builds at the same time, or a
 * build that is stopped halfway, never leaves a mixed dist/.
 */
function build() {
  if (isBuilt()) return;
  say("building dist/");
  const stamp = buildStamp();
  const target = at(`.dist-${process.pid}`);
  try {
    run(
      process.execPath,
      [at("node_modules", "typescript", "bin", "tsc"), "-p", ".", "--noEmitOnError", "--outDir", target],
      {
        failure: "the build failed: see the compiler's output above.",
      },
    );
    copyAssets(target);
    writeFileSync(path.join(target, "package.json"), distPackage());
    writeFileSync(path.join(target, ".stamp"), stamp);
    rmSync(at("dist"), { recursive: true, force: true });
    renameSync(target, at("dist"));
  } catch (error) {
    if (!isBuilt()) throw error;
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

/**
 * Makes the tree ready.
 *
 * @param options.build also bring dist/ up to date. If it already is, development dependencies are not asked for,
 *   so that an image with only production dependencies starts too.
 * @throws NotReady with a sentence for the reader.
 */
export function prepare({ build: withBuild = false } = {}) {
  checkNode();
  if (withBuild && isBuilt()) return installDependencies({ withDevelopment: false });
  installDependencies({ withDevelopment: true });
  generatePrismaClient();
  if (withBuild) build();
}

/** Runs a step and, if it cannot go on, prints the sentence instead of a stack. */
export function reportingProblems(step) {
  try {
    step();
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    say(error.message);
    process.exit(1);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  reportingProblems(() => prepare({ build: process.argv.includes("--build") }));
}
