import type { WaitOutcome } from "#domain/contract/wait-contract.js";
import { OUTCOMES, type OutcomeName } from "#domain/contract/execution-filter.js";

export { OUTCOMES, type OutcomeName };

export const OUTCOME_LABELS: Readonly<Record<OutcomeName, string>> = {
  waiting: "Waiting",
  enrolled: "Enrolled",
  "already-enrolled": "Already enrolled",
  skipped: "Skipped",
  failed: "Not enrolled",
  answered: "Answered",
};

const BY_STATUS: Readonly<Record<string, OutcomeName>> = {
  ENROLLED: "enrolled",
  ALREADY_ENROLLED: "already-enrolled",
  SKIPPED: "skipped",
  FAILED: "failed",
};

/** An execution without an enrollment status is not decided yet, or was not for enrolling. */
export function outcomeOf(enrollmentStatus: string | null, isDecided: boolean): OutcomeName {
  return BY_STATUS[enrollmentStatus ?? ""] ?? (isDecided ? "answered" : "waiting");
}

/** What the other actions return: how a sequence ended, or whether the contact is in one. */
export const ANSWER_WORDS: Readonly<Record<WaitOutcome | "true" | "false", string>> = {
  FINISHED: "The sequence finished.",
  REPLIED: "The contact replied.",
  UNENROLLED: "The contact was unenrolled.",
  TIMED_OUT: "Still in the sequence when the wait was over.",
  NOT_ENROLLED: "The contact was in no sequence.",
  true: "The contact is in a sequence.",
  false: "The contact is in no sequence.",
};

/** What the page says besides the outcome, by the execution's state; empty if nothing. */
const REMARKS: Readonly<Record<string, string>> = {
  QUEUED: "In line to be enrolled.",
  ATTEMPTING: "Being enrolled now.",
  UNCERTAIN: "HubSpot's answer was lost. Checking what happened before anything is sent again.",
  WATCHING: "Waits for the contact's sequence to end.",
  DECIDED: "The workflow is about to be told.",
  COMPLETION_REFUSED: "HubSpot did not take the result: the workflow had already moved on.",
  COMPLETION_ABANDONED: "HubSpot could not be told in time, so the workflow moved on by itself.",
};

export function remarkOn(item: { state: string; attempts: number; outcome: OutcomeName }): string {
  const { state, attempts, outcome } = item;
  if (state === "QUEUED" && attempts > 0) return "Will be tried again shortly.";
  if (state === "COMPLETED" && outcome === "already-enrolled") return "Was in a sequence already.";
  return REMARKS[state] ?? "";
}
