import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import {
  PortalNotReleased,
  releasePortal,
  type PortalLease,
  type WindowLeft,
} from "#platform/queue/portal-lease.js";
import { isStorageDown } from "#platform/db/storage-faults.js";

/** Long enough for the server to end a vanished session that holds the lease's row in a transaction. */
const TRY_FOR_MS = 12_000;
const PAUSE_MS = 250;

export interface HandOverOptions {
  readonly pool: Pool;
  readonly lease: PortalLease;
  /** What is left of the request window now: read before each try. */
  readonly left: () => WindowLeft;
  /** False once a successor may have taken the portal: then there is nothing left to hand over. */
  readonly isFresh: () => boolean;
}

/**
 * Hands the portal to its next owner. If the database is unavailable, or someone else holds the row, it tries a few
 * more times: without the hand-over the portal is idle until its lease expires and then until HubSpot's window has
 * passed.
 *
 * @throws PortalNotReleased if it could not be stored.
 */
export async function handOver({ pool, lease, left, isFresh }: HandOverOptions): Promise<void> {
  const startedAtMs = performance.now();
  for (;;) {
    try {
      return await releasePortal(pool, lease, left());
    } catch (error) {
      const isOver = performance.now() - startedAtMs > TRY_FOR_MS || !isFresh();
      if (isOver || !isStorageDown(error))
        throw new PortalNotReleased(`portal ${lease.portalId} could not be released`, { cause: error });
    }
    await sleep(PAUSE_MS);
  }
}
