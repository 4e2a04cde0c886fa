import type { ClaimedExecution } from "#domain/contract/execution.js";
import { LOST_ANSWER } from "#domain/executions/endings/in-doubt.js";
import { failed } from "#domain/contract/outcome.js";
import { timeLeftMs } from "#domain/executions/time-left.js";
import type { Result } from "#domain/executions/write-back.js";
import { AppError } from "../../errors.js";
import { databaseTroubleOf, isStorageDown } from "#platform/db/storage-faults.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
  PortalSpared,
} from "#platform/hubspot/errors.js";
import { backoffMs } from "#platform/queue/backoff.js";
import { pastDeadline } from "./deadline.js";
import { wasEverInDoubt } from "./doubt.js";
import { refusedRead } from "./refusals.js";

const RETRY = { baseMs: 2_000, capMs: 15 * 60_000 };
/** A due try may begin this much later, with the next sweep: past the deadline it could only report the deadline. */
const LATENESS_MS = 5_000;
/** Gaps after our own fault: shorter than HubSpot's outages are. */
const OWN_RETRY = { baseMs: 1_000, capMs: 60_000 };
/** An execution that makes the worker throw or die is given up after this many times, so that it blocks nobody. */
const MAX_CRASHES = 10;
const FAILED_BY_US = "Something went wrong on our end, several times. Our log has the details.";
/** How soon to check again a portal that cannot be called (grant revoked, app misconfigured). */
const PARKED_MS = 60_000;

/** The app failed on an execution before it sent anything for it; see the cause. */
export class FailedUnsent extends AppError {
  override readonly code = "FAILED_UNSENT";
}

/** HubSpot is down or unreachable; a 429 is pacing. */
export function isOutage(fault: unknown): boolean {
  return fault instanceof HubSpotUnavailable && !(fault instanceof HubSpotThrottled);
}

/**
 * Tries again after a growing gap, or when HubSpot said. If HubSpot is down and no other try fits before the deadline,
 * that is the outcome; a request that may have been sent is still read until the deadline itself, and at least once.
 */
export function later(
  to: "QUEUED" | "UNCERTAIN",
  execution: ClaimedExecution,
  fault: Error & { retryAfterMs?: number | undefined },
): Result {
  if (fault instanceof PortalSpared) return spared(to, fault);
  const delayMs = Math.max(fault.retryAfterMs ?? 0, backoffMs(execution.retries + 1, RETRY));
  const nextTryInMs = to === "QUEUED" ? delayMs + LATENESS_MS : 0;
  const mayBeLast = to === "QUEUED" || execution.state === "UNCERTAIN";
  if (mayBeLast && isOutage(fault) && nextTryInMs >= timeLeftMs(execution.deadlineMs))
    return { to: "DECIDED", outcome: failed("HUBSPOT_UNAVAILABLE") };
  return { to, delayMs, problem: fault.message };
}

/** HubSpot was not asked: due as before, with nothing counted, as soon as the portal's circuit allows it. */
function spared(to: "QUEUED" | "UNCERTAIN", { message: problem }: PortalSpared): Result {
  return to === "QUEUED" ? { to, isWait: true, delayMs: 0, problem } : { to, delayMs: 0, problem };
}

/** The database had a problem, which is not the execution's fault: it is tried again after a growing gap. */
function afterStorageFault(
  to: "QUEUED" | "UNCERTAIN",
  { retries }: ClaimedExecution,
  fault: unknown,
): Result {
  const problem = databaseTroubleOf(fault)?.means ?? "The app's database did not answer.";
  return { to, delayMs: backoffMs(retries + 1, OWN_RETRY), problem };
}

/**
 * What a fault before (or instead of) a request means for the execution. `to` says where it continues: another attempt,
 * if nothing was written at HubSpot, or a reading.
 *
 * @throws the fault, if it is neither HubSpot's nor the database's.
 */
export function recoverable(fault: unknown, execution: ClaimedExecution, to: "QUEUED" | "UNCERTAIN"): Result {
  if (fault instanceof HubSpotThrottled || fault instanceof HubSpotUnavailable)
    return later(to, execution, fault);
  // A portal that cannot be called now: the execution waits for its admin, or for our operator.
  if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured)
    return { to, delayMs: PARKED_MS, problem: fault.message };
  if (fault instanceof HubSpotRejected) return { to: "DECIDED", outcome: refusedRead(fault) };
  if (isStorageDown(fault)) return afterStorageFault(to, execution, fault);
  throw fault;
}

/** An execution that may not be attempted anymore. One that may have been sent is read first, whatever its age. */
export function giveUp(execution: ClaimedExecution): Result | undefined {
  if (execution.state === "UNCERTAIN") return undefined;
  return pastDeadline(execution) ?? (execution.crashes < MAX_CRASHES ? undefined : givenUp(execution));
}

function givenUp(execution: ClaimedExecution): Result {
  const isInDoubt = execution.kind === "ENROLL" && wasEverInDoubt(execution);
  const detail = isInDoubt ? `${FAILED_BY_US} ${LOST_ANSWER}` : FAILED_BY_US;
  return { to: "DECIDED", outcome: failed("HUBSPOT_REJECTED", { detail }) };
}

/**
 * After our own failure: if nothing was sent, it is attempted again; otherwise HubSpot is read before anything is sent
 * or given up, unless that very reading fails.
 */
export function afterCrash(execution: ClaimedExecution, fault: unknown): Result {
  const { state, crashes } = execution;
  const isUnsent = state === "ATTEMPTING" && fault instanceof FailedUnsent;
  const end = pastDeadline(execution);
  const isLast = end !== undefined || crashes + 1 >= MAX_CRASHES;
  if (isLast && (isUnsent || state === "UNCERTAIN")) return end ?? givenUp(execution);
  const delayMs = isLast ? 0 : backoffMs(crashes + 1, OWN_RETRY);
  const to = isUnsent ? "QUEUED" : "UNCERTAIN";
  return { to, delayMs, problem: "Something went wrong on our end.", isCrash: true };
}
