import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { appendFile, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { findServerAccount } from "#platform/db/embedded/server-account.js";
import { query } from "./sql.js";
import { freePort } from "./start-app.js";

const run = promisify(execFile);
const PLACE = "/usr/lib/postgresql";

/** Debian's package `postgresql` has the tools for backups and standbys, which the bundled server lacks. */
const BINARIES = (existsSync(PLACE) ? readdirSync(PLACE) : [])
  .sort()
  .reverse()
  .map((version) => path.join(PLACE, version, "bin"))
  .find((folder) => existsSync(path.join(folder, "pg_basebackup")));

export const hasPostgresTools = BINARIES !== undefined;
const ROLE = "enroller";

/** A folder of clusters, which the account that PostgreSQL runs under may write to. */
export interface ClusterFolder {
  readonly path: string;
  /** Runs one of PostgreSQL's tools as that account. */
  tool(name: string, args: readonly string[]): Promise<string>;
  drop(): Promise<void>;
}

export async function makeClusterFolder(): Promise<ClusterFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-clusters-"));
  // PostgreSQL does not run as root.
  const account = await findServerAccount();
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  return {
    path: folder,
    async tool(name, args) {
      const { stdout } = await run(path.join(BINARIES ?? "", name), args, { ...account, cwd: folder, env });
      return stdout;
    },
    drop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A PostgreSQL server of its own, on a data directory in the folder. */
export class Cluster {
  readonly port: number;
  readonly #folder: ClusterFolder;
  readonly #data: string;

  private constructor(folder: ClusterFolder, name: string, port: number) {
    this.#folder = folder;
    this.#data = path.join(folder.path, name);
    this.port = port;
  }

  /** Makes one with the app's role and its empty database, and starts it. */
  static async make(folder: ClusterFolder, name: string, settings: readonly string[] = []): Promise<Cluster> {
    const cluster = new Cluster(folder, name, await freePort());
    await folder.tool("initdb", [
      `--pgdata=${cluster.#data}`,
      "--username=tester",
      "--auth=trust",
      "--encoding=UTF8",
    ]);
    await cluster.configure(settings);
    await cluster.start();
    await query(cluster.superuserUrl, `CREATE ROLE ${ROLE} LOGIN`);
    await query(cluster.superuserUrl, `CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
    return cluster;
  }

  /** One from a copy of another's files, which pg_basebackup has put in the folder under this name; not started. */
  static async ofCopy(folder: ClusterFolder, name: string): Promise<Cluster> {
    return new Cluster(folder, name, await freePort());
  }

  get superuserUrl(): string {
    return `postgresql://tester@127.0.0.1:${this.port}/postgres`;
  }

  /** The app's own role and database. */
  get url(): string {
    return `postgresql://${ROLE}@127.0.0.1:${this.port}/${ROLE}`;
  }

  /** Settings for the next start, over those that are there. */
  configure(settings: readonly string[]): Promise<void> {
    return appendFile(path.join(this.#data, "postgresql.conf"), `${settings.join("\n")}\n`);
  }

  /** Makes the next start bring it to the moment that its settings name. */
  markForRecovery(): Promise<void> {
    return writeFile(path.join(this.#data, "recovery.signal"), "");
  }

  async start(): Promise<void> {
    const options = `-p ${this.port} -h 127.0.0.1 -k ${this.#folder.path}`;
    const log = path.join(this.#folder.path, `${path.basename(this.#data)}.log`);
    await this.#control("start", "--wait", `--log=${log}`, `--options=${options}`);
  }

  /** @param mode `immediate` is a crash: nothing is written out. */
  stop(mode: "fast" | "immediate"): Promise<string> {
    return this.#control("stop", "--wait", `--mode=${mode}`);
  }

  promote(): Promise<string> {
    return this.#control("promote", "--wait");
  }

  #control(...args: string[]): Promise<string> {
    return this.#folder.tool("pg_ctl", [...args, `--pgdata=${this.#data}`]);
  }
}

/** A folder in which a server keeps its WAL, and the setting that makes it. */
export async function makeArchive(folder: ClusterFolder): Promise<{ keep: string[]; fetch: string }> {
  const place = path.join(folder.path, "archive");
  await mkdir(place);
  const account = await findServerAccount();
  if (account !== undefined) await chown(place, account.uid, account.gid);
  return {
    keep: ["archive_mode = on", `archive_command = 'test ! -f ${place}/%f && cp %p ${place}/%f'`],
    fetch: `restore_command = 'cp ${place}/%f %p'`,
  };
}

/** An address that stays the same while the server behind it changes: what a virtual address or a name is in life. */
export async function openSwitch(first: number): Promise<{
  port: number;
  /** New connections go to this port; old ones end. */
  lead(port: number): void;
  close(): Promise<void>;
}> {
  let target = first;
  const open = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    open.add(socket);
    return socket.once("close", () => open.delete(socket)).on("error", () => undefined);
  };
  const server = createServer((near) => {
    const far = keep(connect({ host: "127.0.0.1", port: target }));
    keep(near).pipe(far).pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    lead(port) {
      target = port;
      endAll();
    },
    close() {
      endAll();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
