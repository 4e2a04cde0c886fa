import type { ClaimedExecution } from "../executions/execution.js";
import { failed } from "../executions/outcome.js";
import { timeLeftMs } from "../executions/time-left.js";
import type { Result } from "../executions/write-back.js";
import { HubSpotRejected } from "../hubspot/errors.js";
import { backoffMs } from "../queue/backoff.js";
import { later, recoverable } from "./attempt-faults.js";
import { judgeDoubt, type Judgement } from "./doubt.js";
import type { EnrollContext } from "./enroll-contact.js";

/** What trails may show at any moment: looked at again this soon, and no sooner. */
const LOOK_AGAIN_MS = { least: 500, most: 30_000 };
/** Gaps where time alone settles nothing. */
const CONTRADICTED = { baseMs: 15_000, capMs: 15 * 60_000 };

/** Reads again later: HubSpot does not show an enrollment of ours, and is not believed yet. */
export function lookAgain(
  { retries }: ClaimedExecution,
  believedInMs: number | undefined,
  problem: string,
): Result {
  const delayMs =
    believedInMs === undefined
      ? backoffMs(retries + 1, CONTRADICTED)
      : Math.min(LOOK_AGAIN_MS.most, Math.max(LOOK_AGAIN_MS.least, believedInMs));
  return { to: "UNCERTAIN", delayMs, problem };
}

/** What HubSpot shows, or the result where it could not be read: then it is read again, and nothing is sent. */
export async function readDoubt(
  execution: ClaimedExecution,
  context: Pick<EnrollContext, "gateway" | "doubts">,
): Promise<Judgement | Result> {
  try {
    return await judgeDoubt(execution, context);
  } catch (fault) {
    // Even a refusal says nothing about the enrollment: calling it failed could contradict HubSpot.
    if (fault instanceof HubSpotRejected) return later("UNCERTAIN", execution, fault);
    return recoverable(fault, execution, "UNCERTAIN");
  }
}

async function settle(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const found = await readDoubt(execution, context);
  if ("to" in found) return found;
  if (found.is === "ours") return { to: "DECIDED", outcome: found.outcome };
  if (found.believedInMs === 0) return { to: "QUEUED", delayMs: 0 };
  return lookAgain(
    execution,
    found.believedInMs,
    "HubSpot does not show yet what became of the last attempt.",
  );
}

/**
 * Settles an execution whose last attempt ended without an answer, by reading: an enrollment in the same sequence at or
 * after its first attempt is ours and counts as done, also one that has ended. That there is none is believed only when
 * HubSpot has had the time to show it (doubt.ts); then the contact may be attempted again.
 */
export async function settleUncertain(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const read = await settle(execution, context);
  const isLate = timeLeftMs(execution.deadlineMs) <= 0;
  const result: Result =
    isLate && read.to !== "DECIDED" ? { to: "DECIDED", outcome: failed("DEADLINE_EXCEEDED") } : read;
  await context.desk.settle(execution, result);
  return result;
}
