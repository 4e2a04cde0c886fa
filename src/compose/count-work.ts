import type { CompletionResult } from "#domain/executions/completions.js";
import type { Result } from "#domain/executions/write-back.js";
import type { Metrics } from "#platform/observability/metrics/metrics.js";
import type { DrainOptions } from "#worker/drain/drain-options.js";

const COMPLETION_LABELS: Readonly<Record<CompletionResult["to"], string>> = {
  COMPLETED: "completed",
  COMPLETION_REFUSED: "refused",
  COMPLETION_ABANDONED: "abandoned",
  DECIDED: "again",
};

/** An attempt's outcome in one word: a status, the code of a refusal, or LATER. */
export function attemptOutcome(result: Result): string {
  if (result.to !== "DECIDED") return "LATER";
  const { errorCode, enrollmentStatus, executionState } = result.outcome;
  return errorCode ?? enrollmentStatus ?? executionState;
}

/** Counts what the drain does: attempts by outcome, completions by HubSpot's word. */
export function countWork({ attempts, completions }: Metrics): Pick<DrainOptions, "onAttempted"> & {
  readonly onCompletions: NonNullable<DrainOptions["onCompletions"]>;
} {
  return {
    onAttempted: ({ kind }, result) => {
      attempts.inc({ kind, outcome: attemptOutcome(result) });
    },
    onCompletions: (results) => {
      for (const { to } of results) completions.inc({ result: COMPLETION_LABELS[to] });
    },
  };
}
