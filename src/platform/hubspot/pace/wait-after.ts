import { askedWaitMs } from "#platform/hubspot/errors.js";
import { backoffMs } from "#platform/queue/backoff.js";

/** Ms until a request is sent again after its `tries`-th failure (1-based): its backoff, but no sooner than HubSpot asked. */
export function waitAfterMs(
  fault: unknown,
  tries: number,
  backoff: { readonly baseMs: number; readonly capMs: number },
): number {
  return Math.max(askedWaitMs(fault), backoffMs(tries, backoff));
}
