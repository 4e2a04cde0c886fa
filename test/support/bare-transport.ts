import { RequestBudget, type RequestSlot } from "#platform/hubspot/pace/request-budget.js";
import { createTransport, type TransportOptions } from "#platform/hubspot/transport.js";

/** Requests of one portal to whatever answers at that address, with a budget that no test uses up. */
export function bareTransport(apiUrl: string, options: Pick<TransportOptions, "onAnswer"> = {}) {
  const budget = new RequestBudget({
    limit: 100,
    windowMs: 10_000,
    inheritedMs: [],
    now: () => performance.now(),
  });
  const forPortal = createTransport({
    apiUrl,
    accessTokenFor: () => Promise.resolve("token"),
    renewAfterRefusal: () => Promise.resolve("token"),
    ...options,
  });
  const takeSlot = () => Promise.resolve(budget.tryTake() as RequestSlot);
  return forPortal({ portalId: 1n, budget, takeSlot });
}
