import { within } from "#platform/time/within.js";

/**
 * We answer within a second, whatever the database does: HubSpot repeats requests that got a 503 (docs/hubspot.md §3.5,
 * §7.3).
 */
export const STORE_TIMEOUT_MS = 900;

/** @throws Error if the work has not ended in time; it continues anyway. */
export function withinAnswerTime<T>(work: Promise<T>, timeoutMs = STORE_TIMEOUT_MS): Promise<T> {
  return within(timeoutMs, work, () => new Error(`not stored within ${timeoutMs} ms`));
}
