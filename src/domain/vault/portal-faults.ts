import { LRUCache } from "lru-cache";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { atMost } from "#platform/memory/at-most.js";
import { AppError } from "../../errors.js";

/** How many portals' last faults are remembered; a forgotten one is logged again. */
const MAX_PORTALS = 5_000;

/**
 * Remembers each portal's last fault, so that one that comes back with every call is logged once, and again after the
 * portal had recovered.
 */
export class PortalFaults {
  readonly #logged = new LRUCache<PortalId, string>(atMost(MAX_PORTALS));

  /** Whether this fault is new for the portal; remembers it. */
  isNew(portalId: PortalId, fault: unknown): boolean {
    const code = codeOf(fault);
    if (this.#logged.get(portalId) === code) return false;
    this.#logged.set(portalId, code);
    return true;
  }

  clear(portalId: PortalId): void {
    this.#logged.delete(portalId);
  }
}

export function codeOf(fault: unknown): string {
  return fault instanceof AppError ? fault.code : "UNKNOWN";
}

/** Whether only the operator can fix it: waiting does not help. */
export function isOwnFault(fault: unknown): boolean {
  return fault instanceof AppError && !fault.retryable && !EXPECTED.has(fault.code);
}

/** Normal events in a grant's life, which are reported elsewhere. */
const EXPECTED = new Set(["NOT_CONNECTED", "GRANT_REVOKED"]);
