import type { PortalId } from "#platform/ids/branded-ids.js";

/**
 * In characters of JSON. The database takes thousands of calls a second, so this fills up only when it hangs; the limit
 * per portal keeps one flood from shutting out the rest.
 */
export interface WaitingLimits {
  readonly inAll: number;
  readonly perPortal: number;
}

const DEFAULT_LIMITS: WaitingLimits = { inAll: 64 * 1024 * 1024, perPortal: 16 * 1024 * 1024 };
/** What a waiting call costs besides its JSON. */
const WAITING_OVERHEAD = 2_048;

/** What a call counts while it waits. */
export function sizeOf(requestJson: string): number {
  return requestJson.length + WAITING_OVERHEAD;
}

export interface WaitingCalls {
  /** Returns false if it does not fit. */
  add(portalId: PortalId, size: number): boolean;
  remove(portalId: PortalId, size: number): void;
}

/** Counts what waits for its commit, in total and by portal. */
export function createWaitingCalls(limits: WaitingLimits = DEFAULT_LIMITS): WaitingCalls {
  const byPortal = new Map<PortalId, number>();
  let total = 0;
  return {
    add(portalId, size) {
      const ofPortal = (byPortal.get(portalId) ?? 0) + size;
      if (total + size > limits.inAll || ofPortal > limits.perPortal) return false;
      byPortal.set(portalId, ofPortal);
      total += size;
      return true;
    },
    remove(portalId, size) {
      const left = (byPortal.get(portalId) ?? 0) - size;
      if (left > 0) byPortal.set(portalId, left);
      else byPortal.delete(portalId);
      total -= size;
    },
  };
}
