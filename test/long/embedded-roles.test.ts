import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { findServerAccount, type ServerAccount } from "#platform/db/embedded/server-account.js";
import { findServerBinaries } from "#platform/db/embedded/server-binaries.js";
import { createLogger } from "#platform/observability/logger.js";
import { query } from "../support/sql.js";

const run = promisify(execFile);
const logger = createLogger({ level: "silent" });

let folder: string;
let dataDir: string;
let server: EmbeddedPostgres | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-roles-"));
  await chmod(folder, 0o755);
  dataDir = path.join(folder, "data");
});

afterEach(async () => {
  await server?.stop();
  await rm(folder, { recursive: true });
});

async function start(): Promise<string> {
  server = await startEmbeddedPostgres({ dataDir, logger });
  return server.url;
}

const SUPERUSERS = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolsuper";
const OWN_RIGHTS =
  "SELECT rolsuper, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user";
const NONE = { rolsuper: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false };

test("the app's role is no superuser and runs no program, and the superuser cannot sign in", async () => {
  const url = await start();
  expect(await query(url, OWN_RIGHTS)).toEqual([NONE]);
  expect(await query(url, SUPERUSERS)).toEqual([{ rolname: "postgres", rolcanlogin: false }]);
  await query(url, "CREATE TABLE loot (line text)");
  await expect(query(url, "COPY loot FROM PROGRAM 'id'")).rejects.toMatchObject({ code: "42501" });
  await expect(query(url, "COPY loot FROM '/etc/passwd'")).rejects.toMatchObject({ code: "42501" });
});

test("the folder of a new database can be listed by no other account", async () => {
  await start();
  expect((await stat(dataDir)).mode & 0o066).toBe(0);
});

test("a folder that an earlier release made is closed, and its superuser turned into a plain role that owns everything", async () => {
  await makeAsEarlierReleases();
  const url = await start();
  expect(await query(url, OWN_RIGHTS)).toEqual([NONE]);
  expect(await query(url, SUPERUSERS)).toEqual([{ rolname: "postgres", rolcanlogin: false }]);
  expect((await stat(dataDir)).mode & 0o066).toBe(0);
  expect(await query(url, "SELECT n, mood::text FROM app.kept ORDER BY n")).toEqual([
    { n: 1, mood: "calm" },
    { n: 2, mood: "calm" },
  ]);
  // What only an owner may do.
  for (const change of [
    "ALTER TABLE app.kept ADD COLUMN later int",
    "ALTER TYPE app.mood ADD VALUE 'glad'",
    "ALTER SEQUENCE app.loose RESTART WITH 7",
    "CREATE OR REPLACE FUNCTION app.two() RETURNS int LANGUAGE sql AS 'SELECT 3'",
    "DROP VIEW app.seen",
    "CREATE TABLE app.more ()",
  ])
    await query(url, change);
  expect((await applyMigrations({ url, logger })).length).toBeGreaterThan(0);
});

const AS_BEFORE = [
  "CREATE SCHEMA app",
  "CREATE TYPE app.mood AS ENUM ('calm')",
  "CREATE TABLE app.kept (n serial PRIMARY KEY, mood app.mood DEFAULT 'calm') PARTITION BY RANGE (n)",
  "CREATE TABLE app.kept_all PARTITION OF app.kept DEFAULT",
  "INSERT INTO app.kept DEFAULT VALUES",
  "INSERT INTO app.kept DEFAULT VALUES",
  "CREATE SEQUENCE app.loose",
  "CREATE VIEW app.seen AS SELECT * FROM app.kept",
  "CREATE FUNCTION app.two() RETURNS int LANGUAGE sql AS 'SELECT 2'",
];

/** One role, initdb's superuser, that owns everything; a folder that everybody may list; no mark of the new ways. */
async function makeAsEarlierReleases(): Promise<void> {
  await mkdir(dataDir, { mode: 0o755 });
  const account = await findServerAccount();
  const { initdb, postgres } = await findServerBinaries({ account, home: dataDir });
  const data = path.join(dataDir, "postgres");
  const password = path.join(dataDir, "postgres.password");
  await mkdir(data, { mode: 0o700 });
  await writeFile(password, `${"5".repeat(48)}\n`, { mode: 0o600 });
  for (const file of [data, password]) await giveTo(account, file);
  const options = { ...account, cwd: dataDir, env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } };
  const signIn = ["--username=sequence_enroller", `--pwfile=${password}`, "--auth=scram-sha-256"];
  await run(initdb, [`--pgdata=${data}`, ...signIn, "--encoding=UTF8", "--no-sync"], options);
  const single = async (database: string, lines: readonly string[]) => {
    const running = run(postgres, ["--single", "-D", data, "-c", "exit_on_error=on", database], options);
    running.child.stdin?.end(`${lines.join(";\n")};\n`);
    await running;
  };
  await single("postgres", ["CREATE DATABASE sequence_enroller"]);
  await single("sequence_enroller", AS_BEFORE);
  expect((await readFile(path.join(data, "PG_VERSION"), "utf8")).trim()).toMatch(/^\d+$/);
}

async function giveTo(account: ServerAccount | undefined, file: string): Promise<void> {
  if (account !== undefined) await chown(file, account.uid, account.gid);
}
