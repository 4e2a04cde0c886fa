import { LRUCache } from "lru-cache";
import { HubSpotUnavailable, TooManyQuestions } from "./errors.js";
import { createPortalGateway, type PortalGateway } from "./gateway.js";
import { RequestBudget } from "./pace/request-budget.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { within } from "#platform/time/within.js";
import type { PortalTransport, PortalTransportOptions, TakeSlot } from "./transport.js";

export interface SiteGatewayOptions {
  readonly forPortal: (portal: PortalTransportOptions) => PortalTransport;
  /** For all requests of one gateway together: a person is waiting for the page. */
  readonly timeoutMs: number;
  /** Takes a place in the portal's window, which HubSpot counts for at most `heldMs`; false if there is none now. */
  readonly takePlace: (portalId: PortalId, heldMs: number) => Promise<boolean>;
}

/** Maximum for this process and one portal: no user needs more (docs/hubspot.md §6: 110 in 10 s). */
const BUDGET = { limit: 10, windowMs: 10_000 };
/** Covers the rounding of HubSpot's clock against ours. */
const MARGIN_MS = 100;
const MAX_PORTALS = 1_000;
const tooLate = (): Error => new HubSpotUnavailable("HubSpot did not answer in time");

/**
 * Creates gateways for requests of the settings site, in any process. They refuse instead of waiting: during a portal's
 * backlog there are few slots for them.
 *
 * The gateway's calls throw HubSpotUnavailable if the budget is used up or the time is over, besides their own faults.
 */
export function createSiteGateways({
  forPortal,
  timeoutMs,
  takePlace,
}: SiteGatewayOptions): (portalId: PortalId) => PortalGateway {
  const budgets = new LRUCache<PortalId, RequestBudget>({ max: MAX_PORTALS });

  function budgetOf(portalId: PortalId): RequestBudget {
    const known = budgets.get(portalId);
    if (known !== undefined) return known;
    const budget = new RequestBudget({ ...BUDGET, now: () => performance.now() });
    budgets.set(portalId, budget);
    return budget;
  }

  return (portalId) => {
    const budget = budgetOf(portalId);
    const endsAtMs = performance.now() + timeoutMs;
    const takeSlot: TakeSlot = async () => {
      const slot = budget.tryTake();
      const hasPlace =
        slot !== undefined && (await takePlace(portalId, timeoutMs + BUDGET.windowMs + MARGIN_MS));
      // HubSpot's headers cover all of the portal's requests, which this budget does not track.
      if (hasPlace) return { ...slot, observe: () => undefined };
      slot?.giveBack();
      throw new TooManyQuestions();
    };
    const call = forPortal({ portalId, budget, takeSlot });
    return createPortalGateway((request) =>
      within(Math.max(0, endsAtMs - performance.now()), call(request), tooLate),
    );
  };
}
