import type { ExecutionKind } from "#domain/contract/execution.js";
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
export const ANSWER_WORDS: Readonly<Record<WaitOutcome | "NOT_SUPPORTED" | "true" | "false", string>> = {
  FINISHED: "The sequence finished.",
  REPLIED: "The contact replied.",
  UNENROLLED: "The contact was unenrolled.",
  TIMED_OUT: "Still in the sequence when the wait was over.",
  NOT_ENROLLED: "The contact was in no sequence.",
  NOT_SUPPORTED: "Unenrolling was not set up, or did not work.",
  true: "The contact is in a sequence.",
  false: "The contact is in no sequence.",
};

/** An answer in words; undefined: it has none. */
export function answerWords(answer: string | null): string | undefined {
  return answer !== null && Object.hasOwn(ANSWER_WORDS, answer)
    ? ANSWER_WORDS[answer as keyof typeof ANSWER_WORDS]
    : undefined;
}

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

export function remarkOn(item: {
  state: string;
  attempts: number;
  outcome: OutcomeName;
  kind?: ExecutionKind;
}): string {
  const { state, attempts, outcome, kind } = item;
  if (state === "QUEUED" && attempts === 0 && kind === "UNENROLL") return "In line to be unenrolled.";
  if (state === "WATCHING" && kind === "UNENROLL") return "Being taken out of its sequence.";
  if (state === "QUEUED" && attempts > 0) return "Will be tried again shortly.";
  if (state === "COMPLETED" && outcome === "already-enrolled") return "Was in a sequence already.";
  return REMARKS[state] ?? "";
}
