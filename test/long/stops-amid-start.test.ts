import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import pg from "pg";
import { AppProcess, type Exit } from "../../bench/chaos/app-process.js";
import { ensureBuilt, freePort } from "../../bench/chaos/stage.js";
import { createEmptyDatabase, createTestDatabase } from "../support/database.js";
import { query } from "../support/sql.js";

/** Supervisors kill after ten seconds and more. */
const PROMPTLY_MS = 6_000;
/** Of a start that nothing holds up, on a busy machine. */
const START_MS = 25_000;
const MIGRATION_LOCK = 72_707_369;

let folder: string;
let db: { url: string; drop: () => Promise<void> };
/** Somebody else in the database. */
let other: pg.Client | undefined;
let app: AppProcess | undefined;

beforeAll(ensureBuilt);

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-stops-"));
});

afterEach(async () => {
  await app?.close({ graceMs: 0 });
  await other?.end();
  [app, other] = [undefined, undefined];
  await db.drop();
  await rm(folder, { recursive: true });
});

function make(databaseUrl: string): AppProcess {
  return new AppProcess({
    name: "app",
    role: "all",
    logFile: path.join(folder, "app.log"),
    environment: {
      PATH: process.env["PATH"] ?? "",
      NODE_ENV: "development",
      DATABASE_URL: databaseUrl,
      DATA_DIR: path.join(folder, "data"),
      PORT: "0",
      HUBSPOT_CLIENT_ID: "client",
      HUBSPOT_CLIENT_SECRET: "secret-of-the-client",
      ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
      SESSION_SECRET: "a-session-secret-of-the-tests-0123456789",
    },
  });
}

const log = (): Promise<string> => readFile(path.join(folder, "app.log"), "utf8");

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the awaited moment did not come");
    await sleep(20);
  }
}

/** A session of the app's waits for somebody's lock. */
const isKeptWaiting = async (): Promise<boolean> =>
  (
    await query(
      db.url,
      `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'sequence-enroller%' AND wait_event_type = 'Lock'`,
    )
  ).length > 0;

/** One is there, for migrations: it polls for their lock. */
const isMigrating = async (): Promise<boolean> =>
  (
    await query(
      db.url,
      "SELECT FROM pg_stat_activity WHERE application_name = 'sequence-enroller migrations'",
    )
  ).length > 0;

async function hold(...statements: string[]): Promise<void> {
  other = new pg.Client({ connectionString: db.url });
  await other.connect();
  for (const statement of statements) await other.query(statement);
}

async function stop(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<Exit & { tookMs: number }> {
  const startedAt = performance.now();
  const ended = app?.ended();
  app?.signal(signal);
  return { ...((await ended) as Exit), tookMs: performance.now() - startedAt };
}

/** The database is free for the next one, and the app had nothing to complain of. */
async function expectOrderly(exit: Exit & { tookMs: number }): Promise<void> {
  expect(exit).toMatchObject({ code: 0, signal: null });
  expect(exit.tookMs).toBeLessThan(PROMPTLY_MS);
  expect((await log()).split("\n").filter((line) => /unhandled|"level":[56]0|^\s+at /i.test(line))).toEqual(
    [],
  );
  await app?.close({ graceMs: 0 });
  await other?.end();
  other = undefined;
  app = make(db.url);
  const startedAt = performance.now();
  await app.start();
  expect(performance.now() - startedAt).toBeLessThan(START_MS);
  expect(await stop()).toMatchObject({ code: 0, signal: null });
}

describe("a process that is asked to stop while it starts ends promptly, in order, and keeps out nobody", () => {
  test("while it waits for a database that is not there", async () => {
    db = await createTestDatabase();
    app = make(`postgres://nobody:x@127.0.0.1:${await freePort()}/none`);
    void app.start().catch(() => undefined);
    await until(async () => (await log().catch(() => "")).includes("cannot be reached yet"));
    await expectOrderly(await stop());
  });

  test("while a database that took its connection says nothing", async () => {
    db = await createTestDatabase();
    let taken = 0;
    const mute = createServer(() => (taken += 1));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    app = make(`postgres://nobody:x@127.0.0.1:${(mute.address() as AddressInfo).port}/none`);
    void app.start().catch(() => undefined);
    await until(() => Promise.resolve(taken > 0));
    const exit = await stop("SIGINT");
    mute.close();
    await expectOrderly(exit);
  });

  test.each([
    ["while another process migrates", [`SELECT pg_advisory_lock(${MIGRATION_LOCK})`], isMigrating],
    [
      "while a migration waits for somebody's long transaction",
      [
        "DELETE FROM _prisma_migrations WHERE migration_name = '20261127103901_imports_to_work_on'",
        "DROP INDEX imports_to_work_on",
        "BEGIN",
        "LOCK TABLE imports IN ROW EXCLUSIVE MODE",
      ],
      isKeptWaiting,
    ],
    ["while its keys are tried on the grants", ["BEGIN", "LOCK TABLE portal_tokens"], isKeptWaiting],
  ])("%s", async (_moment, statements, isThere) => {
    db = await createTestDatabase();
    await hold(...statements);
    app = make(db.url);
    void app.start().catch(() => undefined);
    await until(isThere);
    await expectOrderly(await stop());
  });

  test("as soon as it listens", async () => {
    db = await createTestDatabase();
    app = make(db.url);
    await app.start();
    await expectOrderly(await stop());
  });

  test("at any moment, with a new database and with a half-made one", async () => {
    db = await createEmptyDatabase();
    for (let atMs = 0; atMs < 3_000; atMs += 230) {
      app = make(db.url);
      void app.start().catch(() => undefined);
      await sleep(atMs);
      const { code, signal, tookMs } = await stop(atMs % 2 === 0 ? "SIGTERM" : "SIGINT");
      // A process that has only just begun has no handler yet.
      expect([atMs, atMs < 1_000 && code === null ? 0 : code]).toEqual([atMs, 0]);
      if (atMs >= 1_000) expect(signal).toBeNull();
      expect(tookMs).toBeLessThan(PROMPTLY_MS);
      await app.close({ graceMs: 0 });
    }
    app = make(db.url);
    await app.start();
    await expectOrderly(await stop());
  });
});
