import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { Result } from "#domain/executions/write-back.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import { later, recoverable } from "./attempt-faults.js";
import { doubtedForMs, judgeDoubt, type Judgement } from "./doubt.js";
import type { EnrollContext } from "./enroll-context.js";

/** Lagging data may appear at any moment: it is read again this soon, and no sooner. */
const LOOK_AGAIN_MS = { least: 500, most: 30_000 };
/**
 * If time alone settles nothing, the gaps grow with the doubt itself, not with earlier postponements: an answer that
 * was only late is found within the minute.
 */
const CONTRADICTED = { leastMs: 5_000, mostMs: 15 * 60_000, ofItsAge: 0.5 };

/** HubSpot shows only the latest of the enrollments it counts. */
export const UNEXPLAINED =
  "HubSpot counts an enrollment of this contact that it does not show and that may be this one, so nothing more is sent. Look at the contact in HubSpot.";

/** What HubSpot shows, or the result if it could not be read: then it is read again, and nothing is sent. */
export async function readDoubt(
  execution: ClaimedExecution,
  context: Pick<EnrollContext, "gateway" | "doubts">,
): Promise<Judgement | Result> {
  try {
    return await judgeDoubt(execution, context);
  } catch (error) {
    // Even a refusal says nothing about the enrollment: an outcome "failed" could contradict HubSpot.
    if (error instanceof HubSpotRejected) return later("UNCERTAIN", execution, error);
    return recoverable(error, execution, "UNCERTAIN");
  }
}

/** Reads again later: HubSpot does not show our enrollment, and is not trusted yet. */
export function readAgainLater(
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
