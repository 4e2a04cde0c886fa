import type { HubSpotClock } from "../../src/hubspot/hubspot-clock.js";

/** HubSpot's clock where no HTTP answers are there to learn it from; by default it goes with this machine's. */
export function clockOf(now: () => number = Date.now): HubSpotClock {
  return { at: (momentMs = performance.now()) => new Date(Math.round(now() + momentMs - performance.now())) };
}
