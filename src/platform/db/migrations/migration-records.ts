import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Migration } from "./migration-files.js";

/** One row of `_prisma_migrations` that was not rolled back. */
export interface MigrationRecord {
  readonly name: string;
  readonly checksum: string;
  readonly isFinished: boolean;
}

/** The table exactly as Prisma's schema engine makes it, so that `prisma migrate deploy` can take over at any time. */
const TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id"                  VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum"            VARCHAR(64) NOT NULL,
  "finished_at"         TIMESTAMPTZ,
  "migration_name"      VARCHAR(255) NOT NULL,
  "logs"                TEXT,
  "rolled_back_at"      TIMESTAMPTZ,
  "started_at"          TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/** Creates the table if it is missing. The caller holds the migration lock. */
export async function ensureRecords(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`,
  );
  if (rows[0]?.found !== true) await client.query(TABLE);
}

export async function readRecords(client: pg.Client): Promise<MigrationRecord[]> {
  const { rows } = await client.query<MigrationRecord>(
    `SELECT migration_name AS "name", checksum, finished_at IS NOT NULL AS "isFinished"
       FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows;
}

/** Records that a migration has begun. Until it is finished, every further run refuses. */
export async function recordBegin(client: pg.Client, migration: Migration): Promise<string> {
  const id = randomUUID();
  await client.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)", [
    id,
    migration.checksum,
    migration.name,
  ]);
  return id;
}

export async function recordFinish(client: pg.Client, id: string): Promise<void> {
  await client.query(
    "UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1",
    [id],
  );
}

/** Records the database's message about a migration that left no trace: it may be tried again. */
export async function recordRolledBack(client: pg.Client, migration: Migration, logs: string): Promise<void> {
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, logs, rolled_back_at)
     VALUES ($1, $2, $3, $4, clock_timestamp())`,
    [randomUUID(), migration.checksum, migration.name, logs],
  );
}

/**
 * Records the database's message about a migration that may have done half its work: someone has to look before
 * anything continues.
 */
export async function recordHalfDone(client: pg.Client, id: string, logs: string): Promise<void> {
  await client.query("UPDATE _prisma_migrations SET logs = $2 WHERE id = $1", [id, logs]);
}

/** Closes the record of a migration whose result is known by now. */
export async function endOpenRecord(
  client: pg.Client,
  name: string,
  { isApplied }: { isApplied: boolean },
): Promise<void> {
  const column = isApplied ? "finished_at" : "rolled_back_at";
  await client.query(
    `UPDATE _prisma_migrations SET ${column} = clock_timestamp(), applied_steps_count = $2
      WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
    [name, isApplied ? 1 : 0],
  );
}
