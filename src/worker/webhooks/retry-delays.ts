import { HOUR_MS } from "#platform/time/units.js";

const MINUTE_MS = 60_000;

/** Before the second try, the third …; after the last of them a message is given up. */
const RETRY_DELAYS_MS = [
  5_000,
  30_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
] as const;

/**
 * How long to wait after a try that failed, in ms; undefined: it was the last one.
 *
 * @param tries how many there were
 * @param askedMs how long the receiver asked us to wait; counts if it is longer
 */
export function retryDelayMs(tries: number, askedMs = 0): number | undefined {
  const delayMs = RETRY_DELAYS_MS[tries - 1];
  return delayMs === undefined ? undefined : Math.max(delayMs, askedMs);
}
