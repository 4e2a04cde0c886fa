import type { Pool } from "pg";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";
import { endErasure, eraseAnswers, eraseNext, listErasures } from "#domain/history/erase.js";

/** Rows read in one statement: some milliseconds, so that nothing waits behind it. */
const STEP = 500;

/**
 * Erases the history of every portal whose admin requested it. Two processes may do it at once: a row is deleted once.
 */
export async function eraseHistories({
  pool,
  logger,
  isEnding,
}: {
  pool: Pool;
  logger: Logger;
  isEnding: () => boolean;
}): Promise<void> {
  const what = "the history of an account could not be erased";
  await eachPortal(await listErasures(pool), { logger, what }, async (erasure) => {
    await eraseAnswers(pool, erasure);
    let after: ExecutionId | undefined = 0n;
    while (after !== undefined && !isEnding())
      after = await eraseNext(pool, { ...erasure, after, limit: STEP });
    if (after === undefined) await endErasure(pool, erasure);
  });
}
