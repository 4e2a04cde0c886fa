import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "#platform/observability/logger.js";
import { applyMigration, validityOf } from "./apply-migration.js";
import { connectPatiently } from "../connect-patiently.js";
import { MigrationEdited, MigrationsLocked, MigrationUnfinished, worded } from "../errors.js";
import { migrationsDirectory, readMigrations, type Migration } from "./migration-files.js";
import { endOpenRecord, ensureRecords, readRecords, type MigrationRecord } from "./migration-records.js";
import { refuseTransactionPooling } from "../refuse-transaction-pooling.js";
import { prepareSession } from "../session.js";

/** The advisory lock of Prisma's schema engine: it keeps `prisma migrate deploy` and this runner apart. */
const PRISMA_MIGRATION_LOCK = 72_707_369;

const CONNECT_TIMEOUT_MS = 10_000;
const CONNECT_PATIENCE_MS = 30_000;
const LOCK_TIMEOUT_SECONDS = 120;
const LOCK_AGAIN_MS = 100;
const PATIENCE_MS = 5 * 60_000;

export interface MigrateOptions {
  readonly url: string;
  readonly logger: Logger;
  /** For tests; prisma/migrations otherwise. */
  readonly directory?: string;
  /**
   * How long a migration tries for a lock that others hold (a backup, a report); by default five minutes. The log names
   * who holds it.
   */
  readonly patienceMs?: number;
  /** How long one try to connect may take if that is more than 10 s. */
  readonly connectTimeoutMs?: number;
  /** How long to wait for a server that is not there yet; by default half a minute. */
  readonly connectPatienceMs?: number;
  /**
   * Ends the waits for the server and for others who migrate, and a migration that can simply start again. One that runs
   * outside a transaction and builds no index is finished.
   */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Brings a database up to date: applies, in order, every migration it does not have. Safe to call from many processes
 * at once and at every start; the result is the same as that of `prisma migrate deploy`.
 *
 * @returns names of the migrations that this call applied.
 * @throws DatabaseUnreachable if nothing answers at `url`, even after repeated tries.
 * @throws DatabasePoolerUnsupported if a pooler answers that does not keep sessions apart.
 * @throws DatabaseUnusable if the operator has to fix something there first: rights, disk space, a standby's address.
 * @throws MigrationEdited, MigrationUnfinished if the database's record and the files do not match; nothing is applied.
 * @throws MigrationFailed if the database refuses a migration; those before it stay applied.
 * @throws MigrationBlocked if others held a lock it needs all that time; it is rolled back.
 * @throws MigrationsLocked if another process has held the lock for two minutes.
 * @throws the reason of `stopping`.
 */
export async function applyMigrations(options: MigrateOptions): Promise<readonly string[]> {
  const { url, logger, patienceMs = PATIENCE_MS } = options;
  const migrations = await readMigrations(options.directory ?? migrationsDirectory);
  const client = await connect(options);
  try {
    await lock(client, options.stopping);
    await ensureRecords(client);
    await endInterruptedBuilds(client, migrations);
    const due = checkHistory(migrations, await readRecords(client), logger);
    const { stopping } = options;
    const session = { client, pid: await pidOf(client), url, logger, patienceMs, stopping };
    for (const migration of due) {
      stopping?.throwIfAborted();
      await applyMigration(session, migration);
      logger.info({ migration: migration.name }, "migration applied");
    }
    return due.map(({ name }) => name);
  } catch (error) {
    throw worded(error);
  } finally {
    // The lock ends with the connection.
    await client.end().catch(() => undefined);
  }
}

/** Refuses poolers that no app can work behind, before anything is set or locked there. */
async function connect({ url, logger, ...waits }: MigrateOptions): Promise<pg.Client> {
  const { connectTimeoutMs = 0, connectPatienceMs = CONNECT_PATIENCE_MS, stopping } = waits;
  const applicationName = "sequence-enroller migrations";
  const timeoutMs = Math.max(connectTimeoutMs, CONNECT_TIMEOUT_MS);
  const options = { url, applicationName, timeoutMs, logger, stopping };
  const client = await connectPatiently({ ...options, patienceMs: connectPatienceMs });
  try {
    await lookForPooler(client, () => connectPatiently({ ...options, patienceMs: 0 }));
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function lookForPooler(client: pg.Client, connectAgain: () => Promise<pg.Client>): Promise<void> {
  // A server that accepts only one connection has other troubles, which will show.
  const other = await connectAgain().catch(() => undefined);
  if (other === undefined) return;
  try {
    await refuseTransactionPooling(client, other);
  } finally {
    await other.end().catch(() => undefined);
  }
}

/**
 * Takes the lock by polling. A session that waited for it would hold a snapshot, and an index that the holder builds
 * CONCURRENTLY waits for that snapshot to end: a deadlock, which would end one of the two.
 */
async function lock(client: pg.Client, stopping: AbortSignal | undefined): Promise<void> {
  // A migration may take long; apply-migration.ts limits how long it waits for locks.
  await prepareSession(client, { statementTimeoutMs: 0, lockTimeoutMs: LOCK_TIMEOUT_SECONDS * 1_000 });
  const startedAtMs = performance.now();
  while (!(await tryLock(client))) {
    if (performance.now() - startedAtMs > LOCK_TIMEOUT_SECONDS * 1_000)
      throw new MigrationsLocked(
        `Another process has been migrating this database for ${LOCK_TIMEOUT_SECONDS} s. Wait for it, or end it, and start again.`,
      );
    await sleep(LOCK_AGAIN_MS, undefined, { signal: stopping });
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ is_ours: boolean }>("SELECT pg_try_advisory_lock($1) AS is_ours", [
    PRISMA_MIGRATION_LOCK,
  ]);
  return rows[0]?.is_ours === true;
}

async function pidOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid ?? 0;
}

/**
 * A process that ended while it built an index left the record of it open: the build can simply start again, unless
 * only the record was missing.
 */
async function endInterruptedBuilds(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  const open = new Set(
    (await readRecords(client)).filter((record) => !record.isFinished).map(({ name }) => name),
  );
  for (const { name, builtIndex } of migrations) {
    if (builtIndex === undefined || !open.has(name)) continue;
    await endOpenRecord(client, name, { isApplied: (await validityOf(client, builtIndex)) === true });
  }
}

/**
 * Compares files and record before anything is applied.
 *
 * @returns the migrations that are due. One that only the database has is accepted: an older release may have to run on
 *   a newer database while a release is rolled back.
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
