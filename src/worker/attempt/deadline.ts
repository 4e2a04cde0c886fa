import type { ClaimedExecution } from "#domain/contract/execution.js";
import { failed } from "#domain/contract/outcome.js";
import { hasPassed } from "#domain/executions/time-left.js";
import type { Result } from "#domain/executions/write-back.js";

/**
 * The outcome of an execution whose deadline has passed; undefined if it still has time. Do not call it for one that
 * may have been sent and was not read since: that is read first, whatever its age.
 */
export function pastDeadline({ deadlineMs }: Pick<ClaimedExecution, "deadlineMs">): Result | undefined {
  return hasPassed(deadlineMs) ? { to: "DECIDED", outcome: failed("DEADLINE_EXCEEDED") } : undefined;
}

/** The result of the reading, unless it leaves the execution open past its deadline. */
export function endAtDeadline(execution: ClaimedExecution, read: Result): Result {
  return read.to === "DECIDED" ? read : (pastDeadline(execution) ?? read);
}
