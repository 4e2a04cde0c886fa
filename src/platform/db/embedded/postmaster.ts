import { execFile, spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile, stat, truncate, writeFile, type FileHandle } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ensureAppRole } from "./app-role.js";
import { SERVER_ENVIRONMENT } from "./server-account.js";
import type { Cluster } from "./cluster-files.js";

const run = promisify(execFile);

/** A PostgreSQL server process that is alive. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

/**
 * Reads postmaster.pid (PostgreSQL, src/include/utils/pidfile.h: line 1 pid, line 4 port) and checks that the pid is
 * still that server: undefined if none runs, or it has not written its port yet.
 */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const text = await readFile(path.join(dataDirectory, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 0) || !(port > 0)) return undefined;
  return (await isServer(pid, dataDirectory)) ? { pid, port } : undefined;
}

/**
 * Whether `pid` is a live server of that database: not a zombie, not another program that reuses a dead server's
 * number.
 */
async function isServer(pid: number, dataDirectory: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  try {
    const command =
      process.platform === "linux"
        ? await readFile(`/proc/${pid}/cmdline`, "utf8")
        : (await run("ps", ["-o", "args=", "-p", String(pid)])).stdout;
    return command.includes(dataDirectory);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The largest possible process number; no system assigns it. */
const NOBODYS_PID = 2_147_483_647;

/**
 * PostgreSQL refuses to start while the pid of its left-over postmaster.pid exists at all, even as a zombie or as
 * another program of the same account (usual after a container restarts). Only the number is replaced: the rest of the
 * file lets PostgreSQL see whether old backends still hold its shared memory, and must stay. The caller must hold the
 * files' lock: the number may be that of a server in another container.
 */
async function disownStalePid(dataDirectory: string): Promise<void> {
  const file = path.join(dataDirectory, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!(pid > 0) || pid === NOBODYS_PID || !isAlive(pid) || (await isServer(pid, dataDirectory))) return;
  await writeFile(file, text.replace(/^\d+/, String(NOBODYS_PID)));
}

/** The log is for finding out why a start failed; older content is deleted once it has grown to this size. */
const MAX_LOG_BYTES = 4 * 1024 * 1024;

export function logFile(dataDir: string): string {
  return path.join(dataDir, "postgres.log");
}

/**
 * Starts a server process on loopback only. It is not in this process's group: Ctrl-C in a terminal reaches the app,
 * which closes its connections first. It outlives a killed app, and the next start finds it.
 *
 * @param lock the files' lock (cluster-claim.ts). All the server's processes inherit it, and this process closes it, so
 *   the files stay locked until the last of them has ended.
 */
export async function launch(cluster: Cluster, dataDir: string, lock: FileHandle): Promise<ChildProcess> {
  try {
    await disownStalePid(cluster.dataDirectory);
    await ensureAppRole(cluster);
    return await spawnServer(cluster, dataDir, lock);
  } finally {
    await lock.close();
  }
}

async function spawnServer(cluster: Cluster, dataDir: string, lock: FileHandle): Promise<ChildProcess> {
  const port = await choosePort(dataDir);
  const log = logFile(dataDir);
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await truncate(log);
  const output = openSync(log, "a", 0o600);
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    // Web and worker processes, their queue and the tests' databases share it.
    "max_connections=200",
    "log_checkpoints=off",
  ];
  const server = spawn(
    cluster.binaries.postgres,
    ["-D", cluster.dataDirectory, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    {
      ...cluster.account,
      cwd: cluster.home,
      env: SERVER_ENVIRONMENT,
      detached: true,
      stdio: ["ignore", output, output, lock.fd],
    },
  );
  closeSync(output);
  server.on("error", () => undefined);
  server.unref();
  return server;
}

/** The last port, if it is free, so that pools that know the old server find the restarted one. */
async function choosePort(dataDir: string): Promise<number> {
  const file = path.join(dataDir, "postgres.port");
  const last = Number(await readFile(file, "utf8").catch(() => "0"));
  const port = (await freePort(last)) ?? (await freePort(0)) ?? 0;
  if (port !== last) await writeFile(file, `${port}\n`);
  return port;
}

function freePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const trial = createServer();
    trial.once("error", () => resolve(undefined));
    trial.listen(wanted, "127.0.0.1", () => {
      const { port } = trial.address() as AddressInfo;
      trial.close(() => resolve(port));
    });
  });
}

/**
 * Fast shutdown: open transactions are rolled back, everything is written out.
 *
 * @returns false if the
 */
export async function shutDown(cluster: Cluster, timeoutMs: number): Promise<boolean> {
  const postmaster = await findPostmaster(cluster.dataDirectory);
  if (postmaster === undefined) return true;
  process.kill(postmaster.pid, "SIGINT");
  const giveUpAt = Date.now() + timeoutMs;
  while (await isServer(postmaster.pid, cluster.dataDirectory)) {
    if (Date.now() > giveUpAt) return false;
    await sleep(10);
  }
  return true;
}

/** Ends the server without another write: everything committed is in its log, and the next server recovers it. */
export async function abort(cluster: Cluster): Promise<void> {
  const postmaster = await findPostmaster(cluster.dataDirectory);
  if (postmaster !== undefined) process.kill(postmaster.pid, "SIGQUIT");
}
