import { inTransaction } from "#platform/db/transaction.js";
import { HubSpotError } from "#platform/hubspot/errors.js";
import { applyAction } from "#domain/history/admin-actions.js";
import {
  claimImport,
  endCancelling,
  readToCancel,
  releaseImport,
  type ImportKey,
} from "#domain/imports/advance-import.js";
import { findImport } from "#domain/imports/import.js";
import { checkRows } from "./check-rows.js";
import { forgetNextRows } from "./forget-strangers.js";
import type { ImportTools } from "./import-tools.js";
import { readClosePage, type ReadOn } from "./read-close.js";
import { readSegmentPage } from "./read-segment.js";
import { runRows } from "./run-rows.js";

/**
 * Works on the imports under way, a slice of rows at a time and the one that waited longest next, until none can
 * continue: each then waits for its turn at HubSpot. A crash repeats nothing, and several processes share them.
 */
export async function workImports(work: ImportTools): Promise<void> {
  const { pool, logger, isEnding } = work;
  const waiting: bigint[] = [];
  while (!isEnding()) {
    const key = await claimImport(pool, waiting);
    if (key === undefined) return;
    let waitMs = 0;
    try {
      const next = await step(work, key);
      waitMs = next.waitMs;
      if (!next.hasMore) waiting.push(key.importId);
    } catch (error) {
      waiting.push(key.importId);
      // HubSpot's budget is first for the work that is under way: the next tick tries again.
      if (!(error instanceof HubSpotError))
        logger.warn({ err: error, ...key }, "a step of an import failed; it is tried again");
    } finally {
      await releaseImport(pool, key, waitMs);
    }
  }
}

async function step(work: ImportTools, key: ImportKey): Promise<ReadOn> {
  const isForgetting = await forgetNextRows(work, key);
  if (isForgetting !== undefined) return goOn(isForgetting);
  const found = await findImport(work.pool, { portalId: key.portalId, id: key.importId });
  switch (found?.state) {
    case "READING":
      if (found.source === "CLOSE") return readClosePage(work, key, found);
      return goOn(await readSegmentPage(work, key, found));
    case "CHECKING":
      return goOn(await checkRows(work, key, found));
    case "RUNNING":
      return goOn(await runRows(work, key, found));
    case "CANCELLED":
      return goOn(await cancelRest(work, key));
    default:
      return goOn(false);
  }
}

const goOn = (hasMore: boolean): ReadOn => ({ hasMore, waitMs: 0 });

/** Cancels what waits. What is being sent at this moment ends first. */
async function cancelRest({ pool, wake }: ImportTools, key: ImportKey): Promise<boolean> {
  const { portalId } = key;
  const ids = await readToCancel(pool, key);
  if (ids.length === 0) {
    await endCancelling(pool, key);
    return false;
  }
  const canceled = await inTransaction(pool, (client) => applyAction(client, "CANCEL", { portalId, ids }));
  wake(portalId);
  return canceled > 0;
}
