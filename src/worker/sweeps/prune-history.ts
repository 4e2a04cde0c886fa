import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { portalsWithHistory, pruneNext } from "#domain/history/prune.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { eraseLeftAccounts } from "./erase-accounts.js";
import { eachPortal } from "./each-portal.js";
import { deleteOldRecords } from "./delete-old-records.js";
import { inOneProcess } from "./in-one-process.js";

export interface PruneHistoryOptions {
  pool: Pool;
  logger: Logger;
  /** True once the process is stopping. */
  isEnding: () => boolean;
}

/** Rows read in one statement: some milliseconds, so that nothing waits behind it. */
const STEP = 500;
/** Pause between two steps: the database's time belongs to the work. */
const PAUSE_MS = 20;
/** This job's advisory lock in the database. */
const LOCK = 7_210_400;

/**
 * Deletes finished executions past their portal's retention, oldest first, then other old records and disconnected
 * accounts, in one process at a time.
 *
 * @returns how many executions were deleted; undefined if another process is doing it.
 */
export function pruneHistory(options: PruneHistoryOptions): Promise<number | undefined> {
  return inOneProcess({ pool: options.pool, lock: LOCK }, async () => {
    const pruned = await pruneAll(options);
    await deleteOldRecords(options.pool, options.isEnding);
    await eraseLeftAccounts(options);
    return pruned;
  });
}

async function pruneAll({ pool, logger, isEnding }: PruneHistoryOptions): Promise<number> {
  let total = 0;
  const portals = (await portalsWithHistory(pool)).map((portalId) => ({ portalId }));
  const what = "the old executions of an account could not be deleted";
  await eachPortal(portals, { logger, what }, async ({ portalId }) => {
    for (let after: ExecutionId | undefined = 0n; after !== undefined && !isEnding();) {
      const step = await pruneNext(pool, { portalId, after, limit: STEP });
      total += step.deleted;
      after = step.after;
      if (step.deleted > 0) await sleep(PAUSE_MS);
    }
  });
  if (total > 0) logger.info({ deleted: total }, "deleted executions past their retention");
  return total;
}
