import { readFile } from "node:fs/promises";
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "#platform/observability/logger.js";
import { ClusterClaim, type OtherUser } from "./cluster-claim.js";
import { OWNER } from "./app-role.js";
import { openCluster } from "./cluster.js";
import { DataDirInUse, EmbeddedPostgresFailed } from "../errors.js";
import { abort, findPostmaster, launch, logFile, shutDown } from "./postmaster.js";
import { isNobody } from "./server-account.js";
import { claimLastPresence, joinServer } from "./server-presence.js";
import type { Cluster } from "./cluster-files.js";

/** A running embedded server, shared with every other process on the same DATA_DIR. */
export interface EmbeddedPostgres {
  /** Connection URL with the generated password: never print it. */
  readonly url: string;
  /** Disconnects; the last process to do so shuts the server down. Close your pools first. May be called twice. */
  stop(): Promise<void>;
}

/**
 * A process that was told to stop is gone by then, and its server with it: a successor that started early waits for
 * that.
 */
const OTHER_USER_PATIENCE_MS = 25_000;
/** How long a start may take without a server process that answers: an old one must end first. */
const START_TIMEOUT_MS = 15_000;
/** How long a server may take to replay its log after a crash, or to finish a shutdown. */
const RECOVERY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 20;
/** Two processes that start at once wait for each other for a moment, which is not worth logging. */
const TELL_OTHERS_AFTER_MS = 1_000;
/** Pause after a server process that ended at once: usually the old one's processes are not gone yet. */
const RELAUNCH_MS = 250;

export interface EmbeddedOptions {
  /** Absolute path of DATA_DIR. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** How long to wait until a server in another container or on another machine releases the files; by default 25 s. */
  readonly patienceMs?: number;
  /** Ends that wait, and a start: a server that was launched for it is shut down. */
  readonly stopping?: AbortSignal;
}

/**
 * Starts the bundled PostgreSQL on the database under `dataDir`, or joins the server that already runs there: another
 * process's, or one left over by a killed process. While this process lives, it also restarts a server that dies.
 *
 * @throws EmbeddedPostgresUnavailable if this machine cannot run it; the message says what to set.
 * @throws DataDirInUse if a server in another container or on another machine keeps the files locked.
 * @throws EmbeddedPostgresFailed if it does not come up in time.
 * @throws the reason of `stopping`.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(options.dataDir);
  if (cluster.account !== undefined && (await isNobody(cluster.account)))
    options.logger.warn(
      "the embedded PostgreSQL runs as nobody, which other programs of this machine may, too: " +
        "make an account for it (useradd --system sequence-enroller) before the database is made, or do not start the app as root",
    );
  const member = new ServerMember(cluster, options);
  await member.join();
  return { url: member.url, stop: () => member.leave() };
}

interface Joined {
  readonly presence: pg.Client;
  readonly port: number;
}

/** This process's connection to the server; losing it means that the server is gone. */
class ServerMember {
  url = "";
  readonly #cluster: Cluster;
  readonly #claim: ClusterClaim;
  readonly #options: EmbeddedOptions;
  readonly #logger: Logger;
  #presence: pg.Client | undefined;
  #stopBeating: ReturnType<ClusterClaim["keepBeating"]> | undefined;
  #rejoining: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;

  constructor(cluster: Cluster, options: EmbeddedOptions) {
    this.#cluster = cluster;
    this.#claim = new ClusterClaim(cluster.home);
    this.#options = options;
    this.#logger = options.logger;
  }

  async join(): Promise<void> {
    const isStart = this.url === "";
    const { presence, port } = await joinOrLaunch(this.#cluster, this.#claim, {
      ...this.#options,
      endsWith: isStart ? this.#options.stopping : undefined,
    });
    const url = `postgresql://${OWNER}:${this.#cluster.password}@127.0.0.1:${port}/${OWNER}`;
    if (this.url !== "" && this.url !== url) {
      this.#logger.error({ port }, "the embedded PostgreSQL came back on another port: restart the app");
    }
    this.url = url;
    this.#presence = presence;
    this.#stopBeating = this.#claim.keepBeating((other) => this.#giveUp(other));
    presence.once("end", () => this.#rejoin());
    this.#logger.debug(
      { port, dataDirectory: this.#cluster.dataDirectory },
      "the embedded PostgreSQL is ready",
    );
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  /** Another machine runs a server on these files: ours must not write anything more, and its clients get no answer. */
  #giveUp(other: OtherUser): void {
    this.#logger.fatal(
      { host: other.host },
      "another machine has taken the embedded database while this one was silent; this one's server is ended",
    );
    void abort(this.#cluster);
  }

  #rejoin(): void {
    if (this.#leaving !== undefined) return;
    this.#presence = undefined;
    void this.#stopBeating?.({ isLast: false });
    this.#logger.warn("the embedded PostgreSQL ended: bringing it back");
    this.#rejoining = this.#joinAgain();
  }

  async #joinAgain(): Promise<void> {
    while (this.#leaving === undefined) {
      try {
        return await this.join();
      } catch (error) {
        this.#logger.error({ err: error }, "the embedded PostgreSQL could not be brought back: trying again");
        await sleep(RELAUNCH_MS);
      }
    }
  }

  async #leave(): Promise<void> {
    await this.#rejoining;
    const presence = this.#presence;
    if (presence === undefined) return;
    const isLast = await claimLastPresence(presence);
    if (isLast && !(await shutDown(this.#cluster, STOP_TIMEOUT_MS))) {
      this.#logger.warn("the embedded PostgreSQL is still shutting down");
    }
    await this.#stopBeating?.({ isLast });
    await presence.end().catch(() => undefined);
  }
}

/** @param options.endsWith also ends the launch itself; a server that is brought back is needed to stop in order. */
async function joinOrLaunch(
  cluster: Cluster,
  claim: ClusterClaim,
  options: EmbeddedOptions & { endsWith: AbortSignal | undefined },
): Promise<Joined> {
  const startedAt = Date.now();
  const others = new PatienceWithOthers(cluster, options);
  let launched: ChildProcess | undefined;
  for (;;) {
    const postmaster = await findPostmaster(cluster.dataDirectory);
    if (postmaster !== undefined) {
      const presence = await joinServer({ port: postmaster.port, password: cluster.password });
      if (presence !== undefined) return { presence, port: postmaster.port };
    } else if (launched === undefined || hasEnded(launched)) {
      if (launched !== undefined) await sleep(RELAUNCH_MS);
      const askedAt = Date.now();
      const taken = await claim.take();
      if ("lock" in taken) launched = await launch(cluster, options.dataDir, taken.lock);
      else await others.wait(taken.heldBy, askedAt);
    }
    const limit = postmaster === undefined ? START_TIMEOUT_MS : RECOVERY_TIMEOUT_MS;
    if (Date.now() - startedAt - others.waitedMs > limit) throw await startFailure(options.dataDir, limit);
    if (options.endsWith?.aborted === true) {
      if (launched !== undefined) await endLaunched(launched);
      throw options.endsWith.reason;
    }
    await sleep(POLL_MS);
  }
}

/**
 * Waits while a server that this process cannot see holds the files. Usually that is a moment: it is just starting or
 * stopping. If it takes longer, it is in another container or on another machine.
 */
class PatienceWithOthers {
  waitedMs = 0;
  readonly #cluster: Cluster;
  readonly #logger: Logger;
  readonly #patienceMs: number;
  readonly #stopping: AbortSignal | undefined;
  #hasTold = false;

  constructor(cluster: Cluster, { logger, patienceMs = OTHER_USER_PATIENCE_MS, stopping }: EmbeddedOptions) {
    this.#cluster = cluster;
    this.#logger = logger;
    this.#patienceMs = patienceMs;
    this.#stopping = stopping;
  }

  /**
   * Logs what it waits for if that takes more than a moment.
   *
   * @param since ms since the epoch: the queries take time, too.
   * @throws DataDirInUse once it has waited long enough.
   */
  async wait({ host }: OtherUser, since: number): Promise<void> {
    const { home } = this.#cluster;
    this.#stopping?.throwIfAborted();
    if (this.waitedMs > this.#patienceMs) throw new DataDirInUse(inUse(home, host));
    if (this.waitedMs > TELL_OTHERS_AFTER_MS && !this.#hasTold) {
      this.#hasTold = true;
      this.#logger.warn(
        { home, host, patienceMs: this.#patienceMs },
        "another copy of the app has the embedded database; waiting for it to stop",
      );
    }
    await sleep(RELAUNCH_MS);
    this.waitedMs += Date.now() - since;
  }
}

function inUse(home: string, host: string | undefined): string {
  return (
    `The embedded database in ${home} is in use by another copy of the app${host === undefined ? "" : ` (last seen on ${host})`}, ` +
    "in another container or on another machine. Only one may run on it at a time: stop the other one first " +
    '(in Kubernetes: strategy "Recreate", not "RollingUpdate"), or set DATABASE_URL to a PostgreSQL server for all of them.'
  );
}

/** Shuts down a server that may not have written its process number yet. */
async function endLaunched(server: ChildProcess): Promise<void> {
  server.kill("SIGINT");
  const givesUpAt = Date.now() + STOP_TIMEOUT_MS;
  while (!hasEnded(server) && Date.now() < givesUpAt) await sleep(POLL_MS);
}

function hasEnded(server: ChildProcess): boolean {
  return server.exitCode !== null || server.signalCode !== null || server.pid === undefined;
}

async function startFailure(dataDir: string, limitMs: number): Promise<EmbeddedPostgresFailed> {
  const file = logFile(dataDir);
  const lines = (await readFile(file, "utf8").catch(() => "")).trimEnd().split("\n").slice(-8);
  return new EmbeddedPostgresFailed(
    `The embedded PostgreSQL did not start within ${limitMs / 1000} s. The end of ${file}:\n  ${lines.join("\n  ")}`,
  );
}
