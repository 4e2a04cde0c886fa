import type { Pool } from "pg";
import { pino } from "pino";
import { createDirectory } from "#domain/directory/directory.js";
import { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import type { TurnEnd } from "#platform/queue/drain-turn.js";
import type { DrainOptions } from "#worker/drain/drain-options.js";
import { createDrain } from "#worker/drain/drain-portal.js";
import { clockOf } from "./hubspot-clock.js";

/**
 * Turns with a portal, without the queue that hands portals out: nothing ends them early, and `forPortal` stands in for
 * HubSpot, by default one that must not be called.
 */
export function singleTurns(
  pool: Pool,
  options: Partial<DrainOptions> = {},
): (portalId: bigint) => Promise<TurnEnd> {
  const drain = createDrain({
    overdueLooks: new OverdueLooks(pool),
    pool,
    directory: createDirectory({ pool }),
    logger: pino({ level: "silent" }),
    rateLimit: 100,
    now: () => new Date(),
    hubspotClock: clockOf(),
    believeNoneAfterMs: 0,
    gate: createFairGate({ places: 1 }),
    forPortal: () => () => Promise.reject(new Error("HubSpot must not be called")),
    ...options,
  });
  return (portalId) =>
    drain(portalId, {
      signal: new AbortController().signal,
      isFresh: () => true,
      isEnding: () => false,
      lendPlaceWhile: () => undefined,
    });
}
