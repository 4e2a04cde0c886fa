import { execFile } from "node:child_process";
import { mkdtemp, mkdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The release before this one, built in a folder of its own. */
export interface LastRelease {
  /** What `.ci/last-release` calls it. */
  readonly name: string;
  readonly folder: string;
  /** The migrations it brings. */
  readonly migrations: readonly string[];
  drop(): Promise<void>;
}

/** The commit or tag on the first line of `.ci/last-release` that is no comment. CONTRIBUTING.md says when it changes. */
export async function lastReleaseName(): Promise<string> {
  const text = await readFile(path.join(ROOT, ".ci/last-release"), "utf8");
  const name = text.split("\n").find((line) => /^[\w.-]+$/.test(line));
  if (name === undefined) throw new Error(".ci/last-release names no commit or tag");
  return name;
}

/** Whether the clone holds it: a shallow one, or a copy without history, does not. */
export async function hasCommit(name: string): Promise<boolean> {
  return run("git", ["cat-file", "-e", `${name}^{commit}`], { cwd: ROOT }).then(
    () => true,
    () => false,
  );
}

/**
 * Takes the release's files out of the history and builds them as its own scripts do: with this tree's dependencies if both
 * have the same lock file, otherwise with its own, which npm installs first.
 */
export async function buildLastRelease(name: string): Promise<LastRelease> {
  const home = await mkdtemp(path.join(tmpdir(), "sequence-enroller-last-release-"));
  const folder = path.join(home, "release");
  await mkdir(folder);
  const archive = path.join(home, "release.tar");
  await run("git", ["archive", `--output=${archive}`, name], { cwd: ROOT });
  await run("tar", ["-xf", archive, "-C", folder]);
  const [mine, its] = await Promise.all(
    [ROOT, folder].map((root) => readFile(path.join(root, "package-lock.json"), "utf8")),
  );
  if (mine === its) await symlink(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  else console.warn(`${name} has another lock file: its own dependencies are installed`);
  const { NODE_ENV: _tests, ...env } = process.env;
  await run(process.execPath, ["scripts/prepare.mjs", "--build"], {
    cwd: folder,
    env: { ...env, npm_config_prefer_offline: "true" },
  });
  const { stdout } = await run("git", ["ls-tree", "--name-only", name, "prisma/migrations/"], { cwd: ROOT });
  return {
    name,
    folder,
    migrations: stdout.split("\n").flatMap((at) => /\/(\d{14}_\w+)$/.exec(at)?.[1] ?? []),
    drop: () => rm(home, { recursive: true, force: true }),
  };
}
