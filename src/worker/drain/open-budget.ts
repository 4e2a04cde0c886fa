import { RequestBudget, siteReserve } from "#platform/hubspot/pace/request-budget.js";
import { SELF_FENCE_MS } from "#platform/queue/drain-turn.js";
import { HEARTBEAT_SECONDS } from "#platform/queue/open-boss.js";
import type { PortalLease } from "#platform/queue/portal-lease.js";

const WINDOW_MS = 10_000;
/**
 * After a crash the window's use is unknown. The dead owner sent nothing later than SELF_FENCE_MS after its last sign of
 * life, and its successor starts HEARTBEAT_SECONDS after that sign at the earliest.
 */
const UNKNOWN_WINDOW_MS = WINDOW_MS - (HEARTBEAT_SECONDS * 1_000 - SELF_FENCE_MS);

/** What the portal still allows, as its last owner left it. @param limit requests per window. */
export function openBudget(lease: PortalLease, limit: number): RequestBudget {
  const unknown = Array.from({ length: limit }, () => UNKNOWN_WINDOW_MS);
  return new RequestBudget({
    limit,
    windowMs: WINDOW_MS,
    now: () => performance.now(),
    inheritedMs: lease.inheritedMs ?? unknown,
    allowance: lease.allowance,
    reserve: siteReserve(limit),
  });
}
