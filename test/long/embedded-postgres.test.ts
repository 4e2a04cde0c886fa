import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  access,
  chmod,
  chown,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { EmbeddedPostgresUnavailable } from "#platform/db/errors.js";
import { openDatabase } from "#platform/db/client.js";
import { createLogger } from "#platform/observability/logger.js";
import { query } from "../support/sql.js";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const logger = createLogger({ level: "silent" });

let folder: string;
let dataDir: string;
let owners: ChildProcess[];
let members: EmbeddedPostgres[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-embedded-"));
  await chmod(folder, 0o755);
  dataDir = path.join(folder, "data");
  owners = [];
  members = [];
});

/** Whatever a test did, no server and no folder stays: the last to stop shuts the server down. */
afterEach(async () => {
  for (const owner of owners) await kill(owner);
  for (const member of members) await member.stop();
  const servers: string[] = await readdir(dataDir).catch(() => []);
  if (servers.includes("postgres"))
    await (await startEmbeddedPostgres({ dataDir, logger }).catch(() => undefined))?.stop();
  await rm(folder, { recursive: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const member = await startEmbeddedPostgres({ dataDir, logger });
  members.push(member);
  return member;
}

/** Starts the server from a process of its own, which can be killed. */
async function startOwner(
  options: { uid?: number; gid?: number } = {},
): Promise<{ owner: ChildProcess; url: string }> {
  const script = path.resolve("test/support/embedded-owner.ts");
  const owner = spawn(process.execPath, ["--import", "tsx", script, dataDir], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
  });
  owners.push(owner);
  const [url] = (await once(createInterface(owner.stdout), "line")) as [string];
  return { owner, url };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function startedAt(url: string): Promise<string> {
  const [row] = await query(url, "SELECT pg_postmaster_start_time()::text AS at");
  return String(row?.["at"]);
}

async function serverPid(home = dataDir): Promise<number> {
  const text = await readFile(path.join(home, "postgres", "postmaster.pid"), "utf8");
  return Number(text.split("\n")[0]);
}

function isRunning(home = dataDir): Promise<boolean> {
  return access(path.join(home, "postgres", "postmaster.pid")).then(
    () => true,
    () => false,
  );
}

describe("a start on an empty DATA_DIR", () => {
  test("gives a durable server on loopback alone, with a password only this account can read", async () => {
    const { url } = await start();
    const names = ["listen_addresses", "fsync", "synchronous_commit", "full_page_writes"];
    const rows = await query(url, "SELECT name, setting FROM pg_settings WHERE name = ANY($1)", [names]);
    expect(Object.fromEntries(rows.map((row) => [row["name"], row["setting"]]))).toEqual({
      listen_addresses: "127.0.0.1",
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
    });
    // Its fifth line is the folder of the Unix socket.
    const pidFile = await readFile(path.join(dataDir, "postgres", "postmaster.pid"), "utf8");
    expect(pidFile.split("\n")[4]).toBe("");
    expect((await stat(path.join(dataDir, "postgres.password"))).mode & 0o777).toBe(0o600);
    await expect(query(url.replace(/:[^:@]+@/, ":guess@"), "SELECT 1")).rejects.toMatchObject({
      code: "28P01",
    });
  });

  test("keeps the app's environment, and so its secrets, out of the server's processes", async () => {
    await start();
    if (process.platform !== "linux") return;
    const environment = await readFile(`/proc/${await serverPid()}/environ`, "utf8");
    expect(
      environment
        .split("\0")
        .filter((entry) => entry !== "")
        .map((entry) => entry.split("=")[0]),
    ).toEqual(expect.arrayContaining(["PATH", "LC_ALL", "TZ"]));
    expect(environment).not.toContain("TEST_DATABASE");
  });

  test("ends with the last stop, and the data is there at the next start", async () => {
    const first = await start();
    await query(first.url, "CREATE TABLE kept AS SELECT 1 AS one");
    await first.stop();
    await first.stop();
    expect(await isRunning()).toBe(false);
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
  });
});

describe("processes that share a DATA_DIR", () => {
  test("end up with one server when they start at once on an empty folder", async () => {
    const started = await Promise.all([startOwner(), startOwner(), startOwner()]);
    expect(new Set(started.map(({ url }) => url)).size).toBe(1);
    expect((await readdir(dataDir)).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  test("share it even if one of them names the folder by a link", async () => {
    const { url } = await startOwner();
    await symlink(dataDir, path.join(folder, "link"));
    const member = await startEmbeddedPostgres({ dataDir: path.join(folder, "link"), logger });
    members.push(member);
    expect(member.url).toBe(url);
  });

  test("leave the server to those that remain, and the last one stops it", async () => {
    const { owner, url } = await startOwner();
    const member = await start();
    await kill(owner, "SIGTERM");
    await expect(query(url, "SELECT 1 AS one")).resolves.toEqual([{ one: 1 }]);
    await member.stop();
    expect(await isRunning()).toBe(false);
  });

  test("stop it although they leave at the same moment", async () => {
    const [one, two] = await Promise.all([startOwner(), startOwner()]);
    await Promise.all([kill(one.owner, "SIGTERM"), kill(two.owner, "SIGTERM")]);
    expect(await isRunning()).toBe(false);
  });
});

describe("after a crash", () => {
  test("the server left over by a killed process is found and used", async () => {
    const { owner, url } = await startOwner();
    const before = await startedAt(url);
    await kill(owner);
    const member = await start();
    expect(member.url).toBe(url);
    expect(await startedAt(member.url)).toBe(before);
    await member.stop();
    expect(await isRunning()).toBe(false);
  });

  test("a start right after kill -9 of process and server waits for the old one and keeps what was committed", async () => {
    const { owner, url } = await startOwner();
    await query(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    const pid = await serverPid();
    const ended = kill(owner);
    process.kill(pid, "SIGKILL");
    await ended;
    const member = await start();
    expect(await query(member.url, "SELECT count(*)::int AS rows FROM kept")).toEqual([{ rows: 1000 }]);
  });

  test("a server that dies under a living process is brought back where its pools look for it", async () => {
    const { url } = await start();
    const database = openDatabase({ url, applicationName: "test", poolSize: 2 });
    await database.pool.query("CREATE TABLE kept AS SELECT 1 AS one");
    process.kill(await serverPid(), "SIGKILL");
    let rows: unknown[] = [];
    for (let tries = 0; tries < 200 && rows.length === 0; tries += 1) {
      await sleep(50);
      rows = await database.pool.query("SELECT one FROM kept").then(
        (answer) => answer.rows,
        () => [],
      );
    }
    expect(rows).toEqual([{ one: 1 }]);
    await database.close();
  });

  test("a dead server's number that now belongs to another program is no hindrance", async () => {
    await (await start()).stop();
    const home = await stat(path.join(dataDir, "postgres"));
    const account = isRoot ? { uid: home.uid, gid: home.gid } : {};
    const other = spawn("sleep", ["60"], { ...account, stdio: "ignore" });
    await once(other, "spawn");
    owners.push(other);
    const lines = [
      other.pid,
      path.join(dataDir, "postgres"),
      1_700_000_000,
      54_321,
      "",
      "127.0.0.1",
      "1 1",
      "ready",
    ];
    const file = path.join(dataDir, "postgres", "postmaster.pid");
    await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    if (isRoot) await chown(file, home.uid, home.gid);
    const { url } = await start();
    await expect(query(url, "SELECT 1 AS one")).resolves.toEqual([{ one: 1 }]);
    expect(other.exitCode).toBeNull();
  });
});

describe("what cannot work", () => {
  test("a database of another PostgreSQL version stops the start, and says so", async () => {
    await (await start()).stop();
    const file = path.join(dataDir, "postgres", "PG_VERSION");
    const version = await readFile(file, "utf8");
    await writeFile(file, "14\n");
    await expect(start()).rejects.toThrow(/made by PostgreSQL 14.*DATABASE_URL/s);
    await writeFile(file, version);
  });

  test("a lost or wrong password stops the start, and says what to do", async () => {
    await (await start()).stop();
    const file = path.join(dataDir, "postgres.password");
    const password = await readFile(file, "utf8");
    await writeFile(file, "wrong\n");
    await expect(start()).rejects.toThrow(EmbeddedPostgresUnavailable);
    await rm(file);
    await expect(start()).rejects.toThrow(/postgres\.password.*remove DATA_DIR/s);
    await writeFile(file, password);
  });
});

(isRoot ? describe : describe.skip)("as root", () => {
  test("the server runs under an unprivileged account", async () => {
    await start();
    expect((await stat(path.join(dataDir, "postgres"))).uid).not.toBe(0);
  });

  test("below a closed folder the database lies where the account can reach it, and stays there", async () => {
    await chmod(folder, 0o700);
    const member = await start();
    const name = createHash("sha256")
      .update(await realpath(dataDir))
      .digest("hex")
      .slice(0, 16);
    const home = path.join("/var/lib/sequence-enroller", name);
    try {
      expect(await isRunning(home)).toBe(true);
      await query(member.url, "CREATE TABLE kept AS SELECT 1 AS one");
      await member.stop();
      await chmod(folder, 0o755);
      const again = await start();
      expect(await query(again.url, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
      await again.stop();
      expect(await isRunning(home)).toBe(false);
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test("a folder closed later stops the start with what to set, rather than beginning an empty database", async () => {
    await (await start()).stop();
    await chmod(folder, 0o700);
    await expect(start()).rejects.toThrow(/cannot enter .*DATA_DIR.*DATABASE_URL/s);
    await chmod(folder, 0o755);
  });

  test("a database made by an ordinary user is served under that user", async () => {
    await chown(folder, NOBODY, NOBODY);
    const { owner, url } = await startOwner({ uid: NOBODY, gid: NOBODY });
    await query(url, "CREATE TABLE kept AS SELECT 1 AS one");
    expect((await stat(path.join(dataDir, "postgres"))).uid).toBe(NOBODY);
    await kill(owner, "SIGTERM");
    expect(await isRunning()).toBe(false);
    const member = await start();
    expect(await query(member.url, "SELECT one FROM kept")).toEqual([{ one: 1 }]);
    expect((await stat(path.join(dataDir, "postgres"))).uid).toBe(NOBODY);
  });
});
