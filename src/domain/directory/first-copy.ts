import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { atMost } from "#platform/memory/at-most.js";

export interface FirstCopyOptions {
  readonly pool: Pool;
  /** Requests a copy of the portal's directory soon. */
  readonly wake: (portalId: PortalId) => void;
  /** Longest wait of a dropdown. */
  readonly waitMs: number;
}

/** How soon the first copy is noticed after it was made. */
const LOOK_EVERY_MS = 150;
/** How many portals to wait for at a time; the dropdowns of further ones show what exists. */
const MOST_WAITED_FOR = 20;
/** How many portals are remembered to have a copy. */
const REMEMBERED = 50_000;

/**
 * Creates the function with which a dropdown waits for the first copy of a portal that was just connected. An empty
 * list would look like "there are none". All callers for one portal share the same check, and none waits longer than
 * `waitMs`.
 */
export function createFirstCopyWait({
  pool,
  wake,
  waitMs,
}: FirstCopyOptions): (portalId: PortalId) => Promise<void> {
  const copied = new LRUCache<PortalId, true>(atMost(REMEMBERED));
  const waiting = new Map<PortalId, Promise<void>>();

  /** Whether a first copy is still to come. */
  async function isDue(portalId: PortalId): Promise<boolean> {
    const { rows } = await pool.query<{ is_copied: boolean; is_connected: boolean }>({
      name: "is-directory-copied",
      text: `SELECT directory_synced_at IS NOT NULL AS is_copied, status = 'CONNECTED' AS is_connected
               FROM portals WHERE portal_id = $1`,
      values: [portalId],
    });
    if (rows[0]?.is_copied === true) copied.set(portalId, true);
    return rows[0]?.is_copied === false && rows[0].is_connected;
  }

  async function wait(portalId: PortalId): Promise<void> {
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
