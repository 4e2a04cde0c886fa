import type { ClaimedExecution } from "#domain/contract/execution.js";
import { LOST_ANSWER } from "#domain/executions/endings/in-doubt.js";
import { failed } from "#domain/contract/outcome.js";
import type { Result } from "#domain/executions/write-back.js";
import { endAtDeadline } from "./deadline.js";
import { wasEverInDoubt } from "./doubt.js";
import type { EnrollContext } from "./enroll-context.js";
import { readAgainLater, readDoubt, UNEXPLAINED } from "./read-doubt.js";

const NOT_SHOWN_YET = "HubSpot does not show yet what became of the last attempt.";

async function settle(
  execution: ClaimedExecution,
  context: Pick<EnrollContext, "gateway" | "doubts">,
): Promise<Result> {
  const found = await readDoubt(execution, context);
  if ("to" in found) return found;
  if (found.is === "ours") return { to: "DECIDED", outcome: found.outcome };
  if (found.believedInMs === 0) return { to: "QUEUED", delayMs: 0, isAnswered: true };
  const { believedInMs } = found;
  const problem = believedInMs === undefined ? UNEXPLAINED : NOT_SHOWN_YET;
  return readAgainLater(execution, context, { believedInMs, problem });
}

/** A doubt that is never settled is reported as such: someone has to look at the contact. */
function withDoubt(execution: ClaimedExecution, result: Result): Result {
  if (result.to !== "DECIDED" || result.outcome.errorCode === undefined || !wasEverInDoubt(execution))
    return result;
  return { to: "DECIDED", outcome: failed(result.outcome.errorCode, { detail: LOST_ANSWER }) };
}

/**
 * Settles an execution whose last attempt ended without an answer, by reading: an enrollment in the same sequence at or
 * after its first attempt is ours and counts as done, even one that has ended. "None" is believed only when HubSpot has
 * had time to show one (doubt.ts); then the contact may be attempted again. While HubSpot counts an enrollment that it
 * does not show, nothing is sent; that ends at the deadline.
 */
export async function settleUncertain(
  execution: ClaimedExecution,
  context: Pick<EnrollContext, "gateway" | "doubts">,
): Promise<Result> {
  return withDoubt(execution, endAtDeadline(execution, await settle(execution, context)));
}
