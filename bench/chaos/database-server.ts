import { execFile, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { OWNER, runAsSuperuser, SUPERUSER } from "#platform/db/embedded/app-role.js";
import { openCluster } from "#platform/db/embedded/cluster.js";
import { ClusterClaim } from "#platform/db/embedded/cluster-claim.js";
import { findPostmaster, launch, shutDown, type Postmaster } from "#platform/db/embedded/postmaster.js";
import { joinServer } from "#platform/db/embedded/server-presence.js";
import type { Cluster } from "#platform/db/embedded/cluster-files.js";

const run = promisify(execFile);

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 25;

/** A PostgreSQL server that can be killed as a whole and started again on the same data and port. */
export interface DatabaseServer {
  /** Holds the password; stays the same over kills and starts. */
  readonly url: string;
  /** For what no app may do; in an app's own server nobody can sign in so. */
  readonly superuserUrl: string;
  readonly isUp: boolean;
  /** SIGKILL to the postmaster and each of its children, as when the machine's memory runs out. */
  kill(): Promise<void>;
  /** SIGSTOP to all its processes: connections stay open and nothing answers, as on a machine that hangs. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Starts it again; resolves once it has recovered and answers. */
  start(): Promise<void>;
  /** Shuts it down in order, open transactions rolled back. */
  stop(): Promise<void>;
  /** Copies the data as a crash at this moment would leave it, and names the copy. The server stands still meanwhile. */
  backUp(): Promise<string>;
  /** Puts a copy in the place of the data, and uses it up. The server must be down. */
  restore(backup: string): Promise<void>;
  /** Immediate shutdown, not waited for: for the moment in which this process itself ends. */
  killNow(): void;
}

/** Starts the bundled PostgreSQL on an own data directory under `dataDir`, which the server's account must reach. */
export async function startDatabaseServer(dataDir: string): Promise<DatabaseServer> {
  const cluster = await openCluster(dataDir);
  const password = randomBytes(24).toString("hex");
  await runAsSuperuser(
    cluster,
    SUPERUSER,
    `ALTER ROLE ${SUPERUSER} LOGIN PASSWORD '${password}'; GRANT pg_checkpoint TO ${OWNER};`,
  );
  let postmaster = await bringUp(cluster, dataDir);
  let isUp = true;
  let frozen: number[] = [];
  const place = `127.0.0.1:${postmaster.port}/${OWNER}`;
  const server: DatabaseServer = {
    url: `postgresql://${OWNER}:${cluster.password}@${place}`,
    superuserUrl: `postgresql://${SUPERUSER}:${password}@${place}`,
    get isUp() {
      return isUp;
    },
    async kill() {
      isUp = false;
      await killAll(cluster);
    },
    async freeze() {
      frozen = [postmaster.pid];
      sendSignal(postmaster.pid, "SIGSTOP");
      frozen.push(...(await childrenOf(postmaster.pid)));
      for (const pid of frozen) sendSignal(pid, "SIGSTOP");
    },
    thaw() {
      for (const pid of frozen.splice(0)) sendSignal(pid, "SIGCONT");
    },
    async start() {
      const { port } = postmaster;
      postmaster = await bringUp(cluster, dataDir);
      if (postmaster.port !== port)
        throw new Error(`PostgreSQL came back on port ${postmaster.port} instead of ${port}`);
      isUp = true;
    },
    async stop() {
      isUp = false;
      if (!(await shutDown(cluster, STOP_TIMEOUT_MS))) await killAll(cluster);
    },
    async backUp() {
      const backup = path.join(dataDir, "backup");
      await rm(backup, { recursive: true, force: true });
      await server.freeze();
      try {
        // Keeps the owner, which PostgreSQL insists on.
        await run("cp", ["-a", cluster.dataDirectory, backup]);
      } finally {
        server.thaw();
      }
      return backup;
    },
    async restore(backup) {
      await rm(cluster.dataDirectory, { recursive: true, force: true });
      await rename(backup, cluster.dataDirectory);
    },
    killNow() {
      server.thaw();
      // Its processes see the signal through: nothing to wait for here.
      if (isUp) sendSignal(postmaster.pid, "SIGQUIT");
    },
  };
  return server;
}

/** Launches the server and waits until it answers; a launch that fails because the old one is not gone yet is repeated. */
async function bringUp(cluster: Cluster, dataDir: string): Promise<Postmaster> {
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  const claim = new ClusterClaim(cluster.home);
  let launched: ChildProcess | undefined;
  for (;;) {
    const postmaster = await findPostmaster(cluster.dataDirectory);
    if (postmaster !== undefined) {
      const client = await joinServer({ port: postmaster.port, password: cluster.password });
      if (client !== undefined) {
        await client.end();
        return postmaster;
      }
    } else if (launched === undefined || launched.exitCode !== null || launched.signalCode !== null) {
      const taken = await claim.take();
      if ("lock" in taken) launched = await launch(cluster, dataDir, taken.lock);
    }
    if (Date.now() > giveUpAt) throw new Error(`PostgreSQL did not come up: see ${dataDir}/postgres.log`);
    await sleep(POLL_MS);
  }
}

/** SIGKILL to every process of the embedded server of a DATA_DIR, whoever started it. */
export async function killServerOf(dataDir: string): Promise<void> {
  await killAll(await openCluster(dataDir));
}

async function killAll(cluster: Cluster): Promise<void> {
  const postmaster = await findPostmaster(cluster.dataDirectory);
  if (postmaster === undefined) return;
  const children = await childrenOf(postmaster.pid);
  // The postmaster first: it could answer a child's death by a restart of its own.
  for (const pid of [postmaster.pid, ...children]) sendSignal(pid, "SIGKILL");
  while ((await findPostmaster(cluster.dataDirectory)) !== undefined) await sleep(POLL_MS);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text =
    process.platform === "linux"
      ? await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "")
      : (await run("pgrep", ["-P", String(pid)]).catch(() => ({ stdout: "" }))).stdout;
  return text
    .split(/\s+/)
    .filter((part) => part !== "")
    .map(Number);
}
