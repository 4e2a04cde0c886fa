import type { ClaimedExecution } from "#domain/contract/execution.js";
import { LOST_ANSWER } from "#domain/executions/in-doubt.js";
import { failed } from "#domain/contract/outcome.js";
import { timeLeftMs } from "#domain/executions/time-left.js";
import type { Result } from "#domain/executions/write-back.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import { later, recoverable } from "./attempt-faults.js";
import { doubtedForMs, judgeDoubt, wasEverInDoubt, type Judgement } from "./doubt.js";
import type { EnrollContext } from "./enroll-context.js";

/** What trails may show at any moment: looked at again this soon, and no sooner. */
const LOOK_AGAIN_MS = { least: 500, most: 30_000 };
/**
 * Where time alone settles nothing the gaps grow with the doubt itself, not with all that has put the contact off before: what
 * was only late is settled within the minute.
 */
const CONTRADICTED = { leastMs: 5_000, mostMs: 15 * 60_000, ofItsAge: 0.5 };

const NOT_SHOWN_YET = "HubSpot does not show yet what became of the last attempt.";
/** Of which enrollment it counts HubSpot shows nothing: only the one that is the latest. */
export const UNEXPLAINED =
  "HubSpot counts an enrollment of this contact that it does not show and that may be this one, so nothing more is sent. Look at the contact in HubSpot.";

/** Reads again later: HubSpot does not show an enrollment of ours, and is not believed yet. */
export function lookAgain(
  execution: ClaimedExecution,
  { doubts }: Pick<EnrollContext, "doubts">,
  { believedInMs, problem }: { believedInMs: number | undefined; problem: string },
): Result {
  const { leastMs, mostMs, ofItsAge } = CONTRADICTED;
  const ageMs = doubtedForMs(execution, doubts.clock.at());
  const delayMs =
    believedInMs === undefined
      ? Math.min(mostMs, Math.max(leastMs, ageMs * ofItsAge))
      : Math.min(LOOK_AGAIN_MS.most, Math.max(LOOK_AGAIN_MS.least, believedInMs));
  return { to: "UNCERTAIN", delayMs, problem, isAnswered: true };
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
  if (found.believedInMs === 0) return { to: "QUEUED", delayMs: 0, isAnswered: true };
  const { believedInMs } = found;
  const problem = believedInMs === undefined ? UNEXPLAINED : NOT_SHOWN_YET;
  return lookAgain(execution, context, { believedInMs, problem });
}

/** A doubt that ends unsettled is told as one: the contact has to be looked at. */
function withDoubt(execution: ClaimedExecution, result: Result): Result {
  if (result.to !== "DECIDED" || result.outcome.errorCode === undefined || !wasEverInDoubt(execution))
    return result;
  return { to: "DECIDED", outcome: failed(result.outcome.errorCode, { detail: LOST_ANSWER }) };
}

/**
 * Settles an execution whose last attempt ended without an answer, by reading: an enrollment in the same sequence at or
 * after its first attempt is ours and counts as done, also one that has ended. That there is none is believed only when
 * HubSpot has had the time to show it (doubt.ts); then the contact may be attempted again. While HubSpot counts an
 * enrollment that it does not show nothing is sent: that ends at the deadline.
 */
export async function settleUncertain(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const read = await settle(execution, context);
  const isLate = timeLeftMs(execution.deadlineMs) <= 0;
  const ended: Result =
    isLate && read.to !== "DECIDED" ? { to: "DECIDED", outcome: failed("DEADLINE_EXCEEDED") } : read;
  const result = withDoubt(execution, ended);
  await context.desk.settle(execution, result);
  return result;
}
