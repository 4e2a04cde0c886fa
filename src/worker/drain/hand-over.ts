import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import {
  PortalNotReleased,
  releasePortal,
  type PortalLease,
  type WindowLeft,
} from "#platform/queue/portal-lease.js";
import { isStorageDown } from "#platform/db/storage-faults.js";

/** Long enough for the server to end a session that vanished inside a transaction and holds the lease's row. */
const TRY_FOR_MS = 12_000;
const PAUSE_MS = 250;

export interface HandOverOptions {
  readonly pool: Pool;
  readonly lease: PortalLease;
  /** What is left of the request window at this moment: asked again before each try. */
  readonly left: () => WindowLeft;
  /** False once a successor may have taken the portal: there is nothing to hand over any more. */
  readonly isFresh: () => boolean;
}

/**
 * Hands the portal to its next owner. A database that is away, or a row that somebody else holds, costs a few more tries:
 * without the hand-over the portal rests until its lease lapses and then until HubSpot's window has passed.
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
