import { LRUCache } from "lru-cache";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { atMost } from "#platform/memory/at-most.js";

/** Within this time, the renewal of our copy shows who is active again. */
const REMEMBERED_MS = 600_000;
const REMEMBERED_AT_MOST = 100_000;

/**
 * Rotation members for whom HubSpot said that they have no active owner, of all portals, for ten minutes: otherwise a
 * rotation of people who have left would cost a request for each of them in every turn.
 */
export class AbsentMembers {
  readonly #until: LRUCache<string, true>;

  /** @param now monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#until = new LRUCache({ ...atMost(REMEMBERED_AT_MOST), ttl: REMEMBERED_MS, perf: { now } });
  }

  add(portalId: PortalId, userId: UserId): void {
    this.#until.set(`${portalId}/${userId}`, true);
  }

  has(portalId: PortalId, userId: UserId): boolean {
    return this.#until.has(`${portalId}/${userId}`);
  }
}
