import { LRUCache } from "lru-cache";
import { AppError } from "../../errors.js";

/** Portals whose last fault is remembered; one that is forgotten is told of again. */
const MAX_PORTALS = 5_000;

/**
 * Remembers which fault each portal has had last, so that one that comes back with every call is told once, and again
 * after the portal was well.
 */
export class PortalFaults {
  readonly #logged = new LRUCache<bigint, string>({ max: MAX_PORTALS });

  /** Whether this fault is news; it is none any more afterwards. */
  isNew(portalId: bigint, fault: unknown): boolean {
    const code = codeOf(fault);
    if (this.#logged.get(portalId) === code) return false;
    this.#logged.set(portalId, code);
    return true;
  }

  clear(portalId: bigint): void {
    this.#logged.delete(portalId);
  }
}

export function codeOf(fault: unknown): string {
  return fault instanceof AppError ? fault.code : "UNKNOWN";
}

/** Whether only the operator can mend it: waiting does not. */
export function isOwnFault(fault: unknown): boolean {
  return fault instanceof AppError && !fault.retryable && !EXPECTED.has(fault.code);
}

/** What happens to a grant in life, and is told elsewhere. */
const EXPECTED = new Set(["NOT_CONNECTED", "GRANT_REVOKED"]);
