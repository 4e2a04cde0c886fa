import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pg from "pg";
import { MigrationBlocked } from "#platform/db/errors.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { createLogger } from "#platform/observability/logger.js";
import { createEmptyDatabase } from "../../support/database.js";
import { query } from "../../support/sql.js";

let db: { url: string; drop: () => Promise<void> };
let directory: string;
let lines: string[];
/** Somebody's long read, e.g. a backup. */
let reader: pg.Client;

beforeEach(async () => {
  db = await createEmptyDatabase();
  directory = await mkdtemp(path.join(tmpdir(), "sequence-enroller-migrations-"));
  lines = [];
  await write("20260101000000_first", "CREATE TABLE calls (id int); INSERT INTO calls VALUES (1)");
  await migrate();
  reader = new pg.Client({ connectionString: db.url, application_name: "nightly backup" });
  await reader.connect();
});

afterEach(async () => {
  await reader.end();
  await db.drop();
  await rm(directory, { recursive: true });
});

async function write(name: string, sql: string): Promise<void> {
  await mkdir(path.join(directory, name), { recursive: true });
  await writeFile(path.join(directory, name, "migration.sql"), sql);
}

function migrate(patienceMs = 60_000, stopping?: AbortSignal): Promise<readonly string[]> {
  const logger = createLogger({
    level: "warn",
    destination: { write: (line: string) => void lines.push(line) },
  });
  return applyMigrations({ url: db.url, directory, logger, patienceMs, stopping });
}

async function read(): Promise<void> {
  await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await reader.query("SELECT count(*), 'ann@private.example' AS secret FROM calls");
}

async function until(holds: () => boolean): Promise<void> {
  const endsAt = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > endsAt) throw new Error("the awaited state did not come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const NEXT = "20260102000000_next";
const ADD_COLUMN = "ALTER TABLE calls ADD COLUMN example text;";

test("while a migration waits for a long read, calls are answered within their second; it goes on when the read ends", async () => {
  await read();
  await write(NEXT, ADD_COLUMN);
  const migrating = migrate();
  let slowestMs = 0;
  while (lines.length === 0) {
    const startedAt = performance.now();
    await query(db.url, "INSERT INTO calls (id) VALUES (2)");
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  expect(slowestMs).toBeLessThan(900);
  await reader.query("COMMIT");
  await expect(migrating).resolves.toEqual([NEXT]);
});

test("the log names the session that blocks it, for how long, and what to do, but not its query", async () => {
  await read();
  await write(NEXT, ADD_COLUMN);
  const migrating = migrate();
  await until(() => lines.length > 0);
  const pid = (reader as unknown as { processID: number }).processID;
  const [line = "{}"] = lines;
  expect(JSON.parse(line)).toMatchObject({
    migration: NEXT,
    holders: [
      { pid, application: "nightly backup", activity: "idle in transaction", ageSeconds: expect.any(Number) },
    ],
  });
  expect(line).toContain("pg_terminate_backend");
  expect(line).not.toContain("private");
  await reader.query("COMMIT");
  await migrating;
});

test("a migration that never gets its lock gives up, keeps nothing, and is tried by the next start", async () => {
  await read();
  await write(NEXT, ADD_COLUMN);
  await expect(migrate(0)).rejects.toThrow(MigrationBlocked);
  await expect(migrate(0)).rejects.toThrow(
    /session \d+ \("nightly backup", idle in transaction, for \d+ s\)/,
  );
  await reader.query("COMMIT");
  await expect(migrate(0)).resolves.toEqual([NEXT]);
});

test("two processes that start while a migration waits apply it once", async () => {
  await read();
  await write(NEXT, ADD_COLUMN);
  const runs = [migrate(), migrate()];
  await until(() => lines.length > 0);
  await reader.query("COMMIT");
  expect((await Promise.all(runs)).flat()).toEqual([NEXT]);
});

const BUILD = "-- migrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY calls_id ON calls (id);";

test("an index that an interrupted build left invalid is built again", async () => {
  await query(db.url, "INSERT INTO calls VALUES (1)");
  await write(NEXT, BUILD);
  await expect(migrate()).rejects.toThrow(/next start builds it again/);
  const valid = () =>
    query(db.url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'calls_id'::regclass");
  expect(await valid()).toEqual([{ indisvalid: false }]);
  await query(db.url, "DELETE FROM calls");
  expect(await migrate()).toEqual([NEXT]);
  expect(await valid()).toEqual([{ indisvalid: true }]);
});

test("an index that was built before the process could note it is not built twice", async () => {
  await write(NEXT, BUILD);
  await migrate();
  await query(db.url, "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = $1", [NEXT]);
  expect(await migrate()).toEqual([]);
});

test.each([
  ["changes rows", "UPDATE calls SET id = 3; SELECT pg_sleep(60)", "pg_sleep"],
  ["builds an index beside a long transaction", BUILD, "INDEX CONCURRENTLY calls_id"],
])(
  "a stop ends a migration that %s; the next start is not kept out, and does it again",
  async (_what, sql, at) => {
    if (sql === BUILD) {
      await reader.query("BEGIN");
      await reader.query("DELETE FROM calls WHERE id = 99; LOCK TABLE calls IN ROW EXCLUSIVE MODE");
    }
    await write(NEXT, sql);
    const stop = new AbortController();
    const migrating = migrate(60_000, stop.signal).catch((error: unknown) => error);
    const here = "datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    const isAt = async () =>
      (await query(db.url, `SELECT FROM pg_stat_activity WHERE ${here} AND query LIKE $1`, [`%${at}%`]))
        .length > 0;
    while (!(await isAt())) await new Promise((resolve) => setTimeout(resolve, 20));
    const startedAt = performance.now();
    stop.abort();
    expect(await migrating).toBe(stop.signal.reason);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(await isAt()).toBe(false);
    expect(await query(db.url, "SELECT id FROM calls")).toEqual([{ id: 1 }]);
    if (sql === BUILD) await reader.query("COMMIT");
    await write(NEXT, sql.replace("60", "0"));
    expect(await migrate()).toEqual([NEXT]);
  },
);
