import type { Logger } from "#platform/observability/logger.js";
import { isStorageDown } from "#platform/db/storage-faults.js";

/**
 * A lock that somebody holds for too long, a deadlock, a statement that took too long: the database's trouble, but only
 * where these rows are concerned.
 */
const ABOUT_THESE_ROWS: ReadonlySet<unknown> = new Set(["55P03", "40P01", "40001", "57014"]);

function isForAll(fault: unknown): boolean {
  return isStorageDown(fault) && !ABOUT_THESE_ROWS.has((fault as { code?: unknown }).code);
}

/**
 * Does the work for one portal after the other. What fails for one, by a row that nobody can read, say, is told to the
 * operator, and the others go on.
 *
 * @param sweep.what what the operator reads, e.g. "the history of an account could not be pruned"
 * @throws if the database is down: then the others would fail, too.
 */
export async function eachPortal<Portal extends { readonly portalId: bigint }>(
  portals: Iterable<Portal>,
  { logger, what }: { logger: Logger; what: string },
  work: (portal: Portal) => Promise<void>,
): Promise<void> {
  for (const portal of portals) {
    try {
      await work(portal);
    } catch (fault) {
      if (isForAll(fault)) throw fault;
      logger.error({ fault, portalId: portal.portalId }, `${what}; those of other accounts went on`);
    }
  }
}
