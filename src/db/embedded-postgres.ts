import { readFile } from "node:fs/promises";
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "../observability/logger.js";
import { openCluster, OWNER, type Cluster } from "./cluster.js";
import { EmbeddedPostgresFailed } from "./errors.js";
import { disownStalePid, findPostmaster, launch, logFile, shutDown } from "./postmaster.js";
import { claimLastPresence, joinServer } from "./server-presence.js";

/** A running embedded server, shared with every other process on the same DATA_DIR. */
export interface EmbeddedPostgres {
  /** Connection URL with the generated password: never print it. */
  readonly url: string;
  /** Leaves; the last process to leave shuts the server down. Close your pools first. May be called twice. */
  stop(): Promise<void>;
}

/** How long a start may go on without a server process that answers: an old one must first be gone. */
const START_TIMEOUT_MS = 15_000;
/** How long a server may take to replay its log after a crash, or to finish a shutdown under way. */
const RECOVERY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 20;
/** Pause after a server process that ended at once: mostly the old one's processes are not gone yet. */
const RELAUNCH_MS = 250;

/**
 * Starts the bundled PostgreSQL on the database under `dataDir`, or joins the server that already runs there: another
 * process's, or one left over by a killed process. While this process lives it also brings a server back that dies.
 *
 * @param options.dataDir absolute path of DATA_DIR.
 * @throws EmbeddedPostgresUnavailable where this machine cannot run it; the message says what to set.
 * @throws EmbeddedPostgresFailed where it does not come up in time.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  logger: Logger;
}): Promise<EmbeddedPostgres> {
  const member = new ServerMember(await openCluster(options.dataDir), options);
  await member.join();
  return { url: member.url, stop: () => member.leave() };
}

interface Joined {
  readonly presence: pg.Client;
  readonly port: number;
}

/** This process's stake in the server: a connection whose loss tells that the server is gone. */
class ServerMember {
  url = "";
  readonly #cluster: Cluster;
  readonly #dataDir: string;
  readonly #logger: Logger;
  #presence: pg.Client | undefined;
  #rejoining: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;

  constructor(cluster: Cluster, options: { dataDir: string; logger: Logger }) {
    this.#cluster = cluster;
    this.#dataDir = options.dataDir;
    this.#logger = options.logger;
  }

  async join(): Promise<void> {
    const { presence, port } = await joinOrLaunch(this.#cluster, this.#dataDir);
    const url = `postgresql://${OWNER}:${this.#cluster.password}@127.0.0.1:${port}/${OWNER}`;
    if (this.url !== "" && this.url !== url) {
      this.#logger.error({ port }, "the embedded PostgreSQL came back on another port: restart the app");
    }
    this.url = url;
    this.#presence = presence;
    presence.once("end", () => this.#rejoin());
    this.#logger.debug(
      { port, dataDirectory: this.#cluster.dataDirectory },
      "the embedded PostgreSQL is ready",
    );
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  #rejoin(): void {
    if (this.#leaving !== undefined) return;
    this.#presence = undefined;
    this.#logger.warn("the embedded PostgreSQL ended: bringing it back");
    this.#rejoining = this.#joinAgain();
  }

  async #joinAgain(): Promise<void> {
    while (this.#leaving === undefined) {
      try {
        return await this.join();
      } catch (error) {
        this.#logger.error({ error }, "the embedded PostgreSQL could not be brought back: trying again");
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
    await presence.end().catch(() => undefined);
  }
}

async function joinOrLaunch(cluster: Cluster, dataDir: string): Promise<Joined> {
  const startedAt = Date.now();
  let launched: ChildProcess | undefined;
  for (;;) {
    const postmaster = await findPostmaster(cluster.dataDirectory);
    if (postmaster !== undefined) {
      const presence = await joinServer({ port: postmaster.port, password: cluster.password });
      if (presence !== undefined) return { presence, port: postmaster.port };
    } else if (launched === undefined || hasEnded(launched)) {
      if (launched !== undefined) await sleep(RELAUNCH_MS);
      await disownStalePid(cluster.dataDirectory);
      launched = await launch(cluster, dataDir);
    }
    const limit = postmaster === undefined ? START_TIMEOUT_MS : RECOVERY_TIMEOUT_MS;
    if (Date.now() - startedAt > limit) throw await startFailure(dataDir, limit);
    await sleep(POLL_MS);
  }
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
