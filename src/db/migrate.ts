import pg from "pg";
import type { Logger } from "../observability/logger.js";
import {
  DatabaseUnreachable,
  MigrationEdited,
  MigrationFailed,
  MigrationsLocked,
  MigrationUnfinished,
} from "./errors.js";
import { migrationsDirectory, readMigrations, type Migration } from "./migration-files.js";
import {
  ensureRecords,
  readRecords,
  recordBegin,
  recordFinish,
  recordHalfDone,
  recordRolledBack,
  type MigrationRecord,
} from "./migration-records.js";

/** The advisory lock of Prisma's schema engine: `prisma migrate deploy` and this runner keep out of each other's way. */
const PRISMA_MIGRATION_LOCK = 72_707_369;

const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_SECONDS = 120;

/**
 * Brings a database up to date: applies, in order, every migration it does not have. Safe to call from many processes at
 * once and at every start; leaves what `prisma migrate deploy` would have left.
 *
 * @param options.directory for tests; prisma/migrations otherwise.
 * @returns names of the migrations that this call applied.
 * @throws DatabaseUnreachable where nobody answers at `url`.
 * @throws MigrationEdited, MigrationUnfinished where the database's record and the files do not fit; nothing is applied.
 * @throws MigrationFailed where the database refuses a migration; those before it stay applied.
 * @throws MigrationsLocked where another process has held the lock for two minutes.
 */
export async function applyMigrations(options: {
  url: string;
  directory?: string;
  logger: Logger;
}): Promise<readonly string[]> {
  const migrations = await readMigrations(options.directory ?? migrationsDirectory);
  const client = await connect(options.url);
  try {
    await lock(client);
    await ensureRecords(client);
    const due = checkHistory(migrations, await readRecords(client), options.logger);
    for (const migration of due) {
      await apply(client, migration);
      options.logger.info({ migration: migration.name }, "migration applied");
    }
    return due.map(({ name }) => name);
  } finally {
    // The lock goes with the connection.
    await client.end().catch(() => undefined);
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "sequence-enroller migrations",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // A connection lost under a query rejects that query too; without a listener it would end the process first.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // A name with several addresses fails with an empty message and the code of the first.
    throw new DatabaseUnreachable(
      `The database cannot be reached: ${message || (code ?? "no answer")}. Check DATABASE_URL.`,
      {
        cause: error,
      },
    );
  }
}

async function lock(client: pg.Client): Promise<void> {
  await client.query(`SET lock_timeout = '${LOCK_TIMEOUT_SECONDS}s'`);
  try {
    await client.query("SELECT pg_advisory_lock($1)", [PRISMA_MIGRATION_LOCK]);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "55P03") throw error;
    throw new MigrationsLocked(
      `Another process has been migrating this database for ${LOCK_TIMEOUT_SECONDS} s. Wait for it, or end it, and start again.`,
      { cause: error },
    );
  }
  await client.query("RESET lock_timeout");
}

/**
 * Compares files and record before anything is applied.
 *
 * @returns the migrations that are due. One the database has and the files lack is let be: an older release may have to
 *   run on a newer database while a release is rolled back.
 */
function checkHistory(
  migrations: readonly Migration[],
  records: readonly MigrationRecord[],
  logger: Logger,
): readonly Migration[] {
  const files = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const record of records) {
    if (!record.isFinished) throw unfinished(record.name);
    const file = files.get(record.name);
    if (file === undefined) {
      logger.warn({ migration: record.name }, "the database has a migration this release does not know");
    } else if (file.checksum !== record.checksum) {
      throw new MigrationEdited(
        `Migration ${record.name} was changed after it had been applied to this database. ` +
          "Put its migration.sql back as it was, and make the change in a new migration (npm run db:new-migration).",
      );
    }
  }
  const known = new Set(records.map(({ name }) => name));
  return migrations.filter(({ name }) => !known.has(name));
}

function unfinished(name: string): MigrationUnfinished {
  return new MigrationUnfinished(
    `Migration ${name} began on this database and did not finish. See what it has done (column logs of _prisma_migrations). ` +
      `Then either undo that and mark it: UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${name}' ` +
      "AND finished_at IS NULL; or complete it by hand and set finished_at = now() instead. Then start again.",
  );
}

function apply(client: pg.Client, migration: Migration): Promise<void> {
  return migration.inTransaction ? applyWhole(client, migration) : applyStepwise(client, migration);
}

/** Record and changes commit together: a crash or a refusal leaves nothing behind, and the next start tries again. */
async function applyWhole(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query("BEGIN");
    const id = await recordBegin(client, migration);
    await client.query(migration.sql);
    await recordFinish(client, id);
    await client.query("COMMIT");
  } catch (error) {
    await client
      .query("ROLLBACK")
      .then(() => recordRolledBack(client, migration, String(error)))
      .catch(() => undefined);
    throw refused(migration, error, "Nothing of it was kept.");
  }
}

/** Outside a transaction a failure may leave half the work: the open record then stops every further run. */
async function applyStepwise(client: pg.Client, migration: Migration): Promise<void> {
  const id = await recordBegin(client, migration);
  try {
    await client.query(migration.sql);
  } catch (error) {
    await recordHalfDone(client, id, String(error)).catch(() => undefined);
    throw refused(migration, error, "It runs outside a transaction and may have done part of its work.");
  }
  await recordFinish(client, id);
}

function refused(migration: Migration, error: unknown, consequence: string): MigrationFailed {
  return new MigrationFailed(
    `Migration ${migration.name} failed: ${(error as Error).message}. ${consequence}`,
    {
      cause: error,
    },
  );
}
