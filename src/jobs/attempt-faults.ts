import type { ClaimedExecution } from "../executions/execution.js";
import { failed } from "../executions/outcome.js";
import { refusalCode } from "../executions/refusal.js";
import type { Result } from "../executions/write-back.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
} from "../hubspot/errors.js";
import { backoffMs } from "../queue/backoff.js";

const RETRY = { baseMs: 2_000, capMs: 15 * 60_000 };
/** A try that is due may begin this much later, with the next sweep: past the deadline it would tell of that alone. */
const LATENESS_MS = 5_000;
/** How soon a portal that cannot be called (grant revoked, app misconfigured) is looked at again. */
const PARKED_MS = 60_000;

/** HubSpot, or the way to it, is down; a 429 is pacing. */
export function isOutage(fault: unknown): boolean {
  return fault instanceof HubSpotUnavailable && !(fault instanceof HubSpotThrottled);
}

/**
 * Tries again after a growing gap, or when HubSpot said. Where HubSpot is down and no other try comes before the
 * deadline, that is the outcome; what may have been sent is still read until the deadline itself.
 */
export function later(
  to: "QUEUED" | "UNCERTAIN",
  execution: ClaimedExecution,
  fault: Error & { retryAfterMs?: number | undefined },
): Result {
  const delayMs = Math.max(fault.retryAfterMs ?? 0, backoffMs(execution.retries + 1, RETRY));
  const nextTryAtMs = Date.now() + (to === "QUEUED" ? delayMs + LATENESS_MS : 0);
  if (isOutage(fault) && nextTryAtMs >= execution.deadlineAt.getTime())
    return { to: "DECIDED", outcome: failed("HUBSPOT_UNAVAILABLE") };
  return { to, delayMs, problem: fault.message };
}

/**
 * What a fault before (or instead of) the enroll request means for the execution: nothing was written at HubSpot.
 *
 * @throws the fault, where it is not HubSpot's.
 */
export function recoverable(fault: unknown, execution: ClaimedExecution, to: "QUEUED" | "UNCERTAIN"): Result {
  if (fault instanceof HubSpotThrottled || fault instanceof HubSpotUnavailable)
    return later(to, execution, fault);
  // A portal that cannot be called now: the execution waits for its admin, or for ours.
  if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured)
    return { to, delayMs: PARKED_MS, problem: fault.message };
  if (fault instanceof HubSpotRejected) {
    const code = refusalCode({ ...fault, message: fault.hubspotMessage }) ?? "CONTACT_NOT_FOUND";
    return {
      to: "DECIDED",
      outcome: failed(code, { detail: `HubSpot said: ${fault.hubspotMessage}` }),
    };
  }
  throw fault;
}
