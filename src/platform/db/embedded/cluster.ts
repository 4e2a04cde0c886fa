import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmod,
  chown,
  link,
  mkdir,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { closeDataFolder, makeDataFolder } from "#platform/config/data-folder.js";
import { createAppRole, SUPERUSER } from "./app-role.js";
import { EmbeddedPostgresFailed, EmbeddedPostgresUnavailable } from "../errors.js";
import { canEnter, findServerAccount, SERVER_ENVIRONMENT, type ServerAccount } from "./server-account.js";
import { findServerBinaries } from "./server-binaries.js";
import type { Cluster } from "./cluster-files.js";

const run = promisify(execFile);

/** Where root keeps a database whose DATA_DIR the server's account cannot enter. */
const SYSTEM_HOME = "/var/lib/sequence-enroller";

/**
 * Finds the database that belongs to a DATA_DIR, or creates it. Two processes that create it at once end up with the
 * same one.
 *
 * @throws EmbeddedPostgresUnavailable if the machine or the permissions do not allow it, with what to set.
 */
export async function openCluster(wantedDataDir: string): Promise<Cluster> {
  makeDataFolder(wantedDataDir);
  // One canonical path per folder: a server is recognized by the folder in its command line.
  const dataDir = await realpath(wantedDataDir);
  const { home, account } = (await findExisting(dataDir)) ?? (await chooseHome(dataDir));
  const binaries = await findServerBinaries({ account, home });
  const cluster = { home, account, binaries, dataDirectory: path.join(home, "postgres") };
  const isNew = !(await isCluster(cluster.dataDirectory));
  const password = await readPassword(dataDir, { mayMake: isNew });
  if (isNew) await initialize({ ...cluster, password });
  else await closeFolderOfOurs(dataDir);
  await checkVersion(cluster);
  return { ...cluster, password };
}

/** Earlier releases left the folder readable for others. */
async function closeFolderOfOurs(dataDir: string): Promise<void> {
  const { mode, uid } = await stat(dataDir);
  if ((mode & 0o7777) === 0o755 && uid === process.getuid?.()) closeDataFolder(dataDir);
}

function homesOf(dataDir: string): string[] {
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  return process.getuid?.() === 0 ? [dataDir, path.join(SYSTEM_HOME, name)] : [dataDir];
}

function isCluster(folder: string): Promise<boolean> {
  return stat(path.join(folder, "PG_VERSION")).then(
    () => true,
    () => false,
  );
}

/**
 * An existing database stays where it is, whatever happened to the permissions around it: choosing again could start an
 * empty one next to it. It runs under the account that owns its files.
 */
async function findExisting(dataDir: string): Promise<Pick<Cluster, "home" | "account"> | undefined> {
  for (const home of homesOf(dataDir)) {
    const dataDirectory = path.join(home, "postgres");
    const found = await stat(dataDirectory).catch(() => undefined);
    if (found === undefined) continue;
    const uid = process.getuid?.();
    if (uid !== undefined && uid !== 0 && uid !== found.uid) {
      throw new EmbeddedPostgresUnavailable(
        `The database in ${dataDirectory} belongs to another account (uid ${found.uid}). ` +
          "Start the app under the account that made it, set DATA_DIR to another folder, or set DATABASE_URL.",
      );
    }
    const account = uid === 0 ? { uid: found.uid, gid: found.gid } : undefined;
    if (account !== undefined && !(await canEnter(account, home))) throw closedTo(account, home);
    return { home, account };
  }
  return undefined;
}

async function chooseHome(dataDir: string): Promise<Pick<Cluster, "home" | "account">> {
  const account = await findServerAccount();
  if (account === undefined) return { home: dataDir, account };
  for (const home of homesOf(dataDir)) {
    if (home !== dataDir) await makeOpenFolder(home);
    if (await canEnter(account, home)) return { home, account };
  }
  throw closedTo(account, dataDir);
}

async function makeOpenFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const part of [SYSTEM_HOME, folder]) await chmod(part, 0o755);
  } catch {
    // A read-only file system: the caller finds that the account cannot enter, and says what to set.
  }
}

function closedTo(account: ServerAccount, folder: string): EmbeddedPostgresUnavailable {
  return new EmbeddedPostgresUnavailable(
    `PostgreSQL does not run as root, and the account it would run under (uid ${account.uid}) cannot enter ${folder}. ` +
      "Set DATA_DIR to a folder open to it, or set DATABASE_URL to a PostgreSQL server.",
  );
}

/** Created once and never replaced; linked into place as a whole, so a second process never reads half of it. */
async function readPassword(dataDir: string, { mayMake }: { mayMake: boolean }): Promise<string> {
  const file = path.join(dataDir, "postgres.password");
  const read = () => readFile(file, "utf8").then((text) => text.trim());
  try {
    return await read();
  } catch (error) {
    if (!mayMake) {
      throw new EmbeddedPostgresUnavailable(
        `The password of the embedded database cannot be read from ${file}. Put the file back, or remove DATA_DIR to start empty.`,
        { cause: error },
      );
    }
  }
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft);
  }
  return read();
}

/**
 * Runs initdb in a temporary folder, then renames it once: a database is complete or absent, and of two processes one
 * wins.
 */
async function initialize(cluster: Cluster): Promise<void> {
  const staging = path.join(cluster.home, `postgres.${process.pid}.${randomBytes(4).toString("hex")}.new`);
  const passwordFile = `${staging}.password`;
  try {
    await removeAbandoned(cluster.home);
    await mkdir(staging, { mode: 0o700 });
    // initdb requires a password. The superuser cannot sign in, so nobody needs to know it.
    await writeFile(passwordFile, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    for (const file of [staging, passwordFile]) await giveTo(cluster.account, file);
    await runInitdb(cluster, staging, passwordFile);
    await createAppRole({ ...cluster, dataDirectory: staging });
    await rename(staging, cluster.dataDirectory);
  } catch (error) {
    if (!(await isCluster(cluster.dataDirectory))) throw error;
  } finally {
    await rm(passwordFile, { force: true });
    await rm(staging, { recursive: true, force: true });
  }
}

async function runInitdb(cluster: Cluster, folder: string, passwordFile: string): Promise<void> {
  const settings = [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
  ];
  // The built-in locale sorts alike on every platform and cannot change under the indexes with a system upgrade.
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  try {
    await run(cluster.binaries.initdb, [...settings, ...locale, "--no-instructions"], {
      ...cluster.account,
      cwd: cluster.home,
      env: SERVER_ENVIRONMENT,
    });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() ?? "";
    throw new EmbeddedPostgresFailed(`initdb failed in ${cluster.home}: ${said}`, { cause: error });
  }
}

async function giveTo(account: ServerAccount | undefined, file: string): Promise<void> {
  if (account !== undefined) await chown(file, account.uid, account.gid);
}

/** A killed initdb leaves its folder behind. The folder of a running one is younger than this. */
const ABANDONED_AFTER_MS = 10 * 60_000;

async function removeAbandoned(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!/^postgres.*\.new(\.password)?$/.test(name)) continue;
    const file = path.join(home, name);
    const age =
      Date.now() -
      (await stat(file).then(
        (found) => found.mtimeMs,
        () => Date.now(),
      ));
    if (age > ABANDONED_AFTER_MS) await rm(file, { recursive: true, force: true });
  }
}

async function checkVersion(cluster: Omit<Cluster, "password">): Promise<void> {
  // Root may read it; a folder of another account was refused before.
  const made = (await readFile(path.join(cluster.dataDirectory, "PG_VERSION"), "utf8")).trim();
  const bundled = cluster.binaries.version.split(".")[0];
  if (made === bundled) return;
  throw new EmbeddedPostgresUnavailable(
    `The database in ${cluster.dataDirectory} was made by PostgreSQL ${made}; this release bundles ${bundled}. ` +
      "Move its data with pg_dump and a PostgreSQL server in DATABASE_URL, or set DATA_DIR to another folder to start empty.",
  );
}
