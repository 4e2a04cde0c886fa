import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  DatabaseUnreachable,
  MigrationEdited,
  MigrationFailed,
  MigrationUnfinished,
} from "#platform/db/errors.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { migrationsDirectory, readMigrations } from "#platform/db/migrations/migration-files.js";
import { createLogger } from "#platform/observability/logger.js";
import { query } from "../../support/sql.js";
import { createEmptyDatabase } from "../../support/database.js";

const logger = createLogger({ level: "silent" });

let db: { url: string; drop: () => Promise<void> };
let directory: string;

beforeEach(async () => {
  db = await createEmptyDatabase();
  directory = await mkdtemp(path.join(tmpdir(), "sequence-enroller-migrations-"));
});
afterEach(async () => {
  await db.drop();
  await rm(directory, { recursive: true });
});

async function writeMigration(name: string, sql: string): Promise<void> {
  await mkdir(path.join(directory, name), { recursive: true });
  await writeFile(path.join(directory, name, "migration.sql"), sql);
}

function migrate(): Promise<readonly string[]> {
  return applyMigrations({ url: db.url, directory, logger });
}

function records(): Promise<Record<string, unknown>[]> {
  return query(
    db.url,
    `SELECT migration_name AS name, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS undone, logs
       FROM _prisma_migrations ORDER BY started_at`,
  );
}

describe("the migrations of this release", () => {
  test("apply to an empty database, and only once", async () => {
    const all = await readMigrations(migrationsDirectory);
    const applied = await applyMigrations({ url: db.url, logger });
    expect(applied).toEqual(all.map(({ name }) => name));
    expect(await applyMigrations({ url: db.url, logger })).toEqual([]);
  });

  test("apply once when many processes start together", async () => {
    const all = await readMigrations(migrationsDirectory);
    const runs = await Promise.all([1, 2, 3, 4].map(() => applyMigrations({ url: db.url, logger })));
    expect(runs.flat()).toEqual(all.map(({ name }) => name));
    expect(await records()).toHaveLength(all.length);
  });

  test("leave the record that prisma migrate deploy would leave", async () => {
    await applyMigrations({ url: db.url, logger });
    const columns = await query(
      db.url,
      `SELECT column_name AS name, data_type AS type, character_maximum_length AS length, is_nullable AS nullable
         FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`,
    );
    expect(columns.map((column) => Object.values(column).join(" "))).toEqual([
      "id character varying 36 NO",
      "checksum character varying 64 NO",
      "finished_at timestamp with time zone  YES",
      "migration_name character varying 255 NO",
      "logs text  YES",
      "rolled_back_at timestamp with time zone  YES",
      "started_at timestamp with time zone  NO",
      "applied_steps_count integer  NO",
    ]);
    const [row] = await query(db.url, "SELECT * FROM _prisma_migrations ORDER BY migration_name LIMIT 1");
    const [first] = await readMigrations(migrationsDirectory);
    expect(row).toMatchObject({
      migration_name: first?.name,
      checksum: first?.checksum,
      applied_steps_count: 1,
      logs: null,
      rolled_back_at: null,
    });
  });
});

describe("a history that does not fit", () => {
  beforeEach(async () => {
    await writeMigration("20260101000000_first", "CREATE TABLE first (id int);");
    await migrate();
  });

  test("an applied migration that was edited is refused, and nothing is applied", async () => {
    await writeMigration("20260101000000_first", "CREATE TABLE first (id bigint);");
    await writeMigration("20260102000000_second", "CREATE TABLE second (id int);");
    await expect(migrate()).rejects.toThrow(MigrationEdited);
    await expect(migrate()).rejects.toThrow(/20260101000000_first .*new migration/s);
    expect(await records()).toHaveLength(1);
  });

  test("a migration that began and did not finish stops everything until someone has looked", async () => {
    await query(
      db.url,
      "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20260102000000_second')",
    );
    await writeMigration("20260102000000_second", "CREATE TABLE second (id int);");
    await expect(migrate()).rejects.toThrow(MigrationUnfinished);
    await expect(migrate()).rejects.toThrow(/rolled_back_at = now\(\)/);
    await query(db.url, "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'");
    expect(await migrate()).toEqual(["20260102000000_second"]);
  });

  test("a migration this release does not know is ignored, for an older release on a newer database", async () => {
    await rm(path.join(directory, "20260101000000_first"), { recursive: true });
    await expect(migrate()).resolves.toEqual([]);
  });
});

describe("a migration that the database refuses", () => {
  test("leaves nothing of itself, keeps those before it, and is tried again once mended", async () => {
    await writeMigration("20260101000000_first", "CREATE TABLE first (id int);");
    await writeMigration(
      "20260102000000_second",
      "CREATE TABLE second (id int); INSERT INTO missing VALUES (1);",
    );
    await expect(migrate()).rejects.toThrow(MigrationFailed);
    await expect(migrate()).rejects.toThrow(
      /20260102000000_second failed: relation "missing" does not exist/,
    );
    expect(await query(db.url, "SELECT to_regclass('second') AS found")).toEqual([{ found: null }]);
    expect(await records()).toMatchObject([
      { name: "20260101000000_first", finished: true },
      {
        name: "20260102000000_second",
        finished: false,
        undone: true,
        logs: expect.stringContaining("missing"),
      },
      { name: "20260102000000_second", finished: false, undone: true },
    ]);
    await writeMigration("20260102000000_second", "CREATE TABLE second (id int);");
    expect(await migrate()).toEqual(["20260102000000_second"]);
  });

  test("may ask to run outside a transaction, as CREATE INDEX CONCURRENTLY must", async () => {
    await writeMigration("20260101000000_first", "CREATE TABLE first (id int);");
    await writeMigration(
      "20260102000000_index",
      "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY first_id ON first (id);",
    );
    expect(await migrate()).toHaveLength(2);
  });

  test("and that while other processes wait to find it done", async () => {
    await writeMigration("1_first", "CREATE TABLE first (id int PRIMARY KEY);");
    // Long enough for the others to come while it is under way.
    await writeMigration("2_slow", "SELECT pg_sleep(0.3);");
    await writeMigration(
      "3_index",
      "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY first_id ON first (id);",
    );
    expect((await Promise.all([migrate(), migrate(), migrate()])).flat()).toEqual([
      "1_first",
      "2_slow",
      "3_index",
    ]);
  });

  test("and fails outside a transaction, is open until someone has looked", async () => {
    await writeMigration("20260101000000_vacuum", "-- migrate: no-transaction\nVACUUM gone;");
    await expect(migrate()).rejects.toThrow(/may have done part of its work/);
    await expect(migrate()).rejects.toThrow(MigrationUnfinished);
    expect(await records()).toMatchObject([
      { finished: false, undone: false, logs: expect.stringContaining("gone") },
    ]);
  });
});

test("the built app finds the same migrations as the sources", async () => {
  await cp(migrationsDirectory, directory, { recursive: true });
  expect(await readMigrations(directory)).toEqual(await readMigrations(path.resolve("prisma/migrations")));
});

test("an address where nothing answers gives a sentence, without the password", async () => {
  const url = "postgresql://someone:hunter2@127.0.0.1:1/x";
  const attempt = applyMigrations({ url, directory, logger, connectPatienceMs: 0 });
  await expect(attempt).rejects.toThrow(DatabaseUnreachable);
  await expect(attempt).rejects.toThrow(/DATABASE_URL/);
  await expect(attempt).rejects.not.toThrow(/hunter2/);
});
