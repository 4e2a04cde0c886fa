import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { isStorageDown } from "#platform/db/storage-faults.js";

/** A lock held for too long, a deadlock, a slow statement: a database problem that affects only these rows. */
const ABOUT_THESE_ROWS: ReadonlySet<unknown> = new Set(["55P03", "40P01", "40001", "57014"]);

function isForAll(fault: unknown): boolean {
  return isStorageDown(fault) && !ABOUT_THESE_ROWS.has((fault as { code?: unknown }).code);
}

/**
 * Does the work for each portal. A failure for one, for example because of an unreadable row, is logged, and the others
 * continue.
 *
 * @param sweep.what the log's message, e.g. "the history of an account could not be pruned"
 * @param sweep.atOnce how many portals at a time; by default one after another
 * @throws if the database is down: then the others would fail, too, and are not begun.
 */
export async function eachPortal<Portal extends { readonly portalId: PortalId }>(
  portals: Iterable<Portal>,
  { logger, what, atOnce = 1 }: { logger: Logger; what: string; atOnce?: number },
  work: (portal: Portal) => Promise<void>,
): Promise<void> {
  const left = portals[Symbol.iterator]();
  let isOver = false;

  async function workOnNext(): Promise<void> {
    for (let next = left.next(); next.done !== true && !isOver; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        if (isForAll(error)) {
          isOver = true;
          throw error;
        }
        logger.error(
          { err: error, portalId: next.value.portalId },
          `${what}; those of other accounts went on`,
        );
      }
    }
  }

  const ends = await Promise.allSettled(Array.from({ length: atOnce }, workOnNext));
  const failed = ends.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
