import type { HubSpotClock } from "#platform/hubspot/hubspot-clock.js";

/** HubSpot's clock where no HTTP answers are there to learn it from; by default it goes with this machine's. */
export function clockOf(now: () => number = Date.now): HubSpotClock {
  return {
    at: (momentMs) =>
      new Date(Math.round(momentMs === undefined ? now() : now() + momentMs - performance.now())),
  };
}
