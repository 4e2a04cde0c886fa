import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { Pool } from "pg";

export interface FirstCopyOptions {
  readonly pool: Pool;
  /** Has the portal's directory copied soon. */
  readonly wake: (portalId: bigint) => void;
  /** How long a dropdown waits for it at most. */
  readonly waitMs: number;
}

/** How soon after it was made the first copy is seen. */
const LOOK_EVERY_MS = 150;
/** Portals that are waited for at a time; the dropdowns of further ones show what there is. */
const MOST_WAITED_FOR = 20;
/** Portals of which it is remembered that they have a copy. */
const REMEMBERED = 50_000;

/**
 * Makes what a dropdown waits for in a portal that was just connected: its first copy. An empty list would be taken for
 * "there are none". All who ask for one portal wait for the same look, and nobody longer than `waitMs`.
 */
export function createFirstCopyWait({
  pool,
  wake,
  waitMs,
}: FirstCopyOptions): (portalId: bigint) => Promise<void> {
  const copied = new LRUCache<bigint, true>({ max: REMEMBERED });
  const waiting = new Map<bigint, Promise<void>>();

  /** Whether a first copy is still to come. */
  async function isDue(portalId: bigint): Promise<boolean> {
    const { rows } = await pool.query<{ is_copied: boolean; is_connected: boolean }>({
      name: "is-directory-copied",
      text: `SELECT directory_synced_at IS NOT NULL AS is_copied, status = 'CONNECTED' AS is_connected
               FROM portals WHERE portal_id = $1`,
      values: [portalId],
    });
    if (rows[0]?.is_copied === true) copied.set(portalId, true);
    return rows[0]?.is_copied === false && rows[0].is_connected;
  }

  async function wait(portalId: bigint): Promise<void> {
    const endsAtMs = performance.now() + waitMs;
    if (!(await isDue(portalId))) return;
    wake(portalId);
    while (performance.now() + LOOK_EVERY_MS < endsAtMs) {
      await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      if (!(await isDue(portalId))) return;
    }
  }

  return (portalId) => {
    const isKnown = copied.has(portalId);
    const underWay = waiting.get(portalId);
    if (isKnown || underWay !== undefined) return underWay ?? Promise.resolve();
    if (waiting.size >= MOST_WAITED_FOR) return Promise.resolve();
    const started = wait(portalId).finally(() => waiting.delete(portalId));
    waiting.set(portalId, started);
    return started;
  };
}
