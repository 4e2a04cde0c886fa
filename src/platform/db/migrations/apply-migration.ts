import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Logger } from "#platform/observability/logger.js";
import { databaseTroubleOf } from "../storage-faults.js";
import { MigrationBlocked, MigrationFailed } from "../errors.js";
import { isLockTimeout } from "../lock-timeout.js";
import { cancelStatement, lockHolders, type LockHolder } from "./lock-holders.js";
import type { Migration } from "./migration-files.js";
import { recordBegin, recordFinish, recordHalfDone, recordRolledBack } from "./migration-records.js";

/** A connection that holds the migration lock. */
export interface MigrationSession {
  readonly client: pg.Client;
  /** The number of its server process: behind a pooler it differs from the one the client was sent. */
  readonly pid: number;
  readonly url: string;
  readonly logger: Logger;
  /** How long to try for a lock that others hold, with pauses. */
  readonly patienceMs: number;
  /** Ends a migration that can simply start again, and the pauses between two tries. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * How long a migration may wait for a lock at a time. Everyone else who needs the table waits behind it, so this is
 * less than the time in which a call from HubSpot has to be answered (web/actions/answer-time.ts).
 */
const LOCK_TIMEOUT_MS = 500;
/** Pause between two tries, for the other sessions. */
const PAUSE_MS = 2_000;
/** Read while it still waits: afterward nobody knows who it was. */
const ASK_AFTER_MS = 250;

export function applyMigration(session: MigrationSession, migration: Migration): Promise<void> {
  if (migration.inTransaction) return applyWhole(session, migration);
  if (migration.builtIndex !== undefined) return buildIndex(session, migration, migration.builtIndex);
  return applyAlone(session, migration);
}

/** Record and changes commit together: a crash or a refusal leaves nothing behind, and the next start tries again. */
async function applyWhole(session: MigrationSession, migration: Migration): Promise<void> {
  const givesUpAtMs = performance.now() + session.patienceMs;
  for (;;) {
    const holders = watchWait(session);
    try {
      await untilStopped(session, () => runWhole(session.client, migration));
      return;
    } catch (error) {
      await session.client.query("ROLLBACK").catch(() => undefined);
      session.stopping?.throwIfAborted();
      const found = await holders.found();
      if (!isLockTimeout(error) || performance.now() > givesUpAtMs)
        throw await notApplied(session, migration, { error, found });
      tellOfWait(session.logger, migration, found);
    } finally {
      holders.stop();
    }
    await sleep(PAUSE_MS, undefined, { signal: session.stopping });
  }
}

/**
 * Cancels the statement under way once the process is asked to stop. Without that the server would continue with it
 * after the process has ended, and keep the lock on migrations from the next one.
 */
async function untilStopped(session: MigrationSession, work: () => Promise<void>): Promise<void> {
  const { url, pid, stopping } = session;
  const cancel = (): void => {
    void cancelStatement(url, pid);
  };
  stopping?.addEventListener("abort", cancel, { once: true });
  try {
    stopping?.throwIfAborted();
    await work();
  } finally {
    stopping?.removeEventListener("abort", cancel);
  }
}

async function runWhole(client: pg.Client, migration: Migration): Promise<void> {
  await client.query(`BEGIN; SET LOCAL lock_timeout = '${LOCK_TIMEOUT_MS}ms'`);
  const id = await recordBegin(client, migration);
  await client.query(migration.sql);
  await recordFinish(client, id);
  await client.query("COMMIT");
}

async function notApplied(
  { client }: MigrationSession,
  migration: Migration,
  { error, found }: { error: unknown; found: readonly LockHolder[] },
): Promise<Error> {
  await recordRolledBack(client, migration, String(error)).catch(() => undefined);
  if (!isLockTimeout(error)) return refused(migration, error, "Nothing of it was kept.");
  return new MigrationBlocked(
    `Migration ${migration.name} did not get a lock it needs: ${describe(found)}. Nothing of it was kept. ${WHAT_TO_DO}`,
    { cause: error },
  );
}

/**
 * Built without blocking others, whom a wait here does not hold up either. An interrupted build leaves an invalid
 * index: it is built again.
 */
async function buildIndex(session: MigrationSession, migration: Migration, index: string): Promise<void> {
  const { client, patienceMs, logger } = session;
  const holders = watchWait(session, (found) => {
    tellOfWait(logger, migration, found);
  });
  try {
    await untilStopped(session, async () => {
      if ((await validityOf(client, index)) === false)
        await client.query(`DROP INDEX CONCURRENTLY "${index}"`);
      const id = await recordBegin(client, migration);
      await client.query(`SET lock_timeout = '${patienceMs}ms'`);
      await client.query(migration.sql);
      await recordFinish(client, id);
    });
  } catch (error) {
    session.stopping?.throwIfAborted();
    if (!isLockTimeout(error))
      throw refused(migration, error, "The index may be there and invalid; the next start builds it again.");
    throw await notApplied(session, migration, { error, found: await holders.found() });
  } finally {
    holders.stop();
  }
}

/** Undefined: no such index exists. */
export async function validityOf(client: pg.Client, index: string): Promise<boolean | undefined> {
  const { rows } = await client.query<{ indisvalid: boolean }>(
    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1))",
    [index],
  );
  return rows[0]?.indisvalid;
}

/** Outside a transaction a failure may leave half the work: the open record then blocks every further run. */
async function applyAlone({ client, patienceMs }: MigrationSession, migration: Migration): Promise<void> {
  const id = await recordBegin(client, migration);
  try {
    await client.query(`SET lock_timeout = '${patienceMs}ms'`);
    await client.query(migration.sql);
  } catch (error) {
    await recordHalfDone(client, id, String(error)).catch(() => undefined);
    throw refused(migration, error, "It runs outside a transaction and may have done part of its work.");
  }
  await recordFinish(client, id);
}

function refused(migration: Migration, error: unknown, consequence: string): MigrationFailed {
  return new MigrationFailed(
    `Migration ${migration.name} failed: ${(error as Error).message}. ${consequence} ${databaseTroubleOf(error)?.todo ?? ""}`.trim(),
    {
      cause: error,
    },
  );
}

const WHAT_TO_DO =
  "Wait until that session ends (a backup, a report), or end it with SELECT pg_terminate_backend(<pid>), and start again.";

function describe(found: readonly LockHolder[]): string {
  if (found.length === 0) return "another session holds it";
  return found
    .map(
      ({ pid, application, activity, ageSeconds }) =>
        `session ${pid} ("${application}", ${activity ?? "what it does is not shown"}, for ${ageSeconds ?? "?"} s) holds it`,
    )
    .join(", ");
}

function tellOfWait(logger: Logger, migration: Migration, found: readonly LockHolder[]): void {
  logger.warn(
    { migration: migration.name, holders: found },
    `a migration waits for a lock: ${describe(found)}. Calls are answered meanwhile. ` +
      "It goes on when that session ends; to end it: SELECT pg_terminate_backend(<pid>)",
  );
}

/** Finds out who blocks the session, while it waits. */
function watchWait(
  { pid, url }: MigrationSession,
  onFound?: (found: readonly LockHolder[]) => void,
): { found(): Promise<readonly LockHolder[]>; stop(): void } {
  let asked: Promise<readonly LockHolder[]> = Promise.resolve([]);
  const timer = setTimeout(() => {
    asked = lockHolders(url, pid);
    if (onFound !== undefined)
      void asked.then((found) => {
        if (found.length > 0) onFound(found);
      });
  }, ASK_AFTER_MS);
  return {
    found: () => asked,
    stop: () => {
      clearTimeout(timer);
    },
  };
}
