import { LRUCache } from "lru-cache";
import { HubSpotUnavailable, TooManyQuestions } from "./errors.js";
import { createPortalGateway, type PortalGateway } from "./gateway.js";
import { RequestBudget, type RequestSlot } from "./pace/request-budget.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { within } from "#platform/time/within.js";
import type { PortalTransport, PortalTransportOptions, TakeSlot } from "./transport.js";

export interface SiteGatewayOptions {
  readonly forPortal: (portal: PortalTransportOptions) => PortalTransport;
  /** For all requests of one gateway together: someone is waiting for the page. */
  readonly timeoutMs: number;
  /**
   * Takes a place in the portal's window, which HubSpot counts for at most `heldMs`; undefined if there is none now.
   *
   * @param earlier places that the same gateway took before
   */
  readonly takePlace: (portalId: PortalId, heldMs: number, earlier: number) => Promise<Place | undefined>;
  /** Most requests per window, for this process and one portal. */
  readonly limit?: number;
}

/** A place in a portal's window. */
export interface Place {
  /** HubSpot has answered, and counts the request for `ms` from now at most. */
  shorten(ms: number): Promise<void>;
}

/** No user needs more requests per window (docs/hubspot.md §6: 110 in 10 s). */
const QUESTIONS = 10;
const WINDOW_MS = 10_000;
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
  limit = QUESTIONS,
}: SiteGatewayOptions): (portalId: PortalId) => PortalGateway {
  const budgets = new LRUCache<PortalId, RequestBudget>({ max: MAX_PORTALS });

  function budgetOf(portalId: PortalId): RequestBudget {
    const known = budgets.get(portalId);
    if (known !== undefined) return known;
    const budget = new RequestBudget({ limit, windowMs: WINDOW_MS, now: () => performance.now() });
    budgets.set(portalId, budget);
    return budget;
  }

  return (portalId) => {
    const budget = budgetOf(portalId);
    const endsAtMs = performance.now() + timeoutMs;
    let taken = 0;
    const takeSlot: TakeSlot = async () => {
      const slot = budget.tryTake();
      if (slot === undefined) throw new TooManyQuestions();
      try {
        const place = await takePlace(portalId, timeoutMs + WINDOW_MS + MARGIN_MS, taken);
        if (place === undefined) throw new TooManyQuestions();
        taken += 1;
        return inBoth(slot, place);
      } catch (error) {
        slot.giveBack();
        throw error;
      }
    };
    const call = forPortal({ portalId, budget, takeSlot });
    return createPortalGateway((request) =>
      within(Math.max(0, endsAtMs - performance.now()), call(request), tooLate),
    );
  };
}

/** Without an answer, HubSpot may still be about to count the request: the place is held to its end. */
function inBoth(slot: RequestSlot, place: Place): RequestSlot {
  return {
    ...slot,
    // HubSpot's headers cover all of the portal's requests, but this budget does not track them all.
    observe: () => undefined,
    settle(isAnswered) {
      slot.settle();
      if (isAnswered === true) place.shorten(WINDOW_MS + MARGIN_MS).catch(() => undefined);
    },
  };
}
