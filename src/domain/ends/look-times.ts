import { nextOnGrid } from "#domain/contract/look-times.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "#platform/time/units.js";

/** After this, an enrollment is no longer looked at. */
export const FOLLOWED_DAYS = 90;

/** A grid for each age; each longer one is part of the shorter ones, so that requests are full. */
const LADDER: readonly { readonly upToMs: number; readonly everyMs: number }[] = [
  { upToMs: 3 * DAY_MS, everyMs: HOUR_MS },
  { upToMs: 14 * DAY_MS, everyMs: 4 * HOUR_MS },
];
const LONGEST_MS = DAY_MS;
/** For what HubSpot is about to show: properties follow each other by tens of seconds. */
const SOON_MS = 2 * MINUTE_MS;

/**
 * The next regular look at an enrollment: hourly for three days, every four hours for two weeks, then daily. A webhook
 * usually comes first.
 *
 * @param after now, or when the look would have been due if it came along with others before its time.
 */
export function nextRegularLook(after: Date, enrolledAt: Date, portalId: PortalId): Date {
  const ageMs = after.getTime() - enrolledAt.getTime();
  const everyMs = LADDER.find(({ upToMs }) => ageMs < upToMs)?.everyMs ?? LONGEST_MS;
  return nextOnGrid(after, { everyMs, longestMs: LONGEST_MS, portalId });
}

/** The next look at one whose properties are being written. */
export function nextSoonLook(now: Date, portalId: PortalId): Date {
  return nextOnGrid(now, { everyMs: SOON_MS, longestMs: LONGEST_MS, portalId });
}
