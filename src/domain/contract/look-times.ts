import type { PortalId } from "#platform/ids/branded-ids.js";
import { MINUTE_MS } from "#platform/time/units.js";

/**
 * When to check an execution that waits for a sequence to end. Checks fall on a grid for each portal, and each longer
 * grid is part of every shorter one: executions that have waited equally long are due at the same moment, so requests
 * are full. The offset keeps portals apart.
 */

/** Executions accepted around the same time are first checked together. */
const FIRST_LOOK_MS = { gather: 30_000, least: 5_000 };
/** The longer it has waited, the less often it is checked: a webhook usually arrives first, and sequences last days. */
const LADDER: readonly { readonly upToMs: number; readonly everyMs: number }[] = [
  { upToMs: 10 * MINUTE_MS, everyMs: MINUTE_MS },
  { upToMs: 6 * 60 * MINUTE_MS, everyMs: 5 * MINUTE_MS },
];
const LONGEST_MS = 15 * MINUTE_MS;

/**
 * The next point of a portal's grid.
 *
 * @param grid.longestMs the longest of the grids that belong together: their points then lie on each other.
 */
export function nextOnGrid(
  after: Date,
  { everyMs, longestMs, portalId }: { everyMs: number; longestMs: number; portalId: PortalId },
): Date {
  const offsetMs = Number((portalId * 7_919n) % BigInt(longestMs));
  const steps = Math.floor((after.getTime() - offsetMs) / everyMs) + 1;
  return new Date(steps * everyMs + offsetMs);
}

/** For an execution accepted at `now`: 5 to 35 s later. */
export function firstLookAt(now: Date, portalId: PortalId): Date {
  const least = new Date(now.getTime() + FIRST_LOOK_MS.least);
  return nextOnGrid(least, { everyMs: FIRST_LOOK_MS.gather, longestMs: LONGEST_MS, portalId });
}

/**
 * The check after the one at `now`, for an execution that has waited since `since`: a minute later at first, then up to
 * 15.
 */
export function nextLookAt(now: Date, since: Date, portalId: PortalId): Date {
  const waitedMs = now.getTime() - since.getTime();
  const everyMs = LADDER.find(({ upToMs }) => waitedMs < upToMs)?.everyMs ?? LONGEST_MS;
  return nextOnGrid(now, { everyMs, longestMs: LONGEST_MS, portalId });
}
