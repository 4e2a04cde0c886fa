import type { ExecutionKind } from "#domain/contract/execution.js";
import type { WaitOutcome } from "#domain/contract/wait-contract.js";
import { OUTCOMES, type OutcomeName } from "#domain/contract/execution-filter.js";

export { OUTCOMES, type OutcomeName };

export const OUTCOME_LABELS: Readonly<Record<OutcomeName, string>> = {
  waiting: "Waiting",
  enrolled: "Enrolled",
  "already-enrolled": "Already in a sequence",
  skipped: "Skipped",
  failed: "Not enrolled",
  answered: "Completed",
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
  TIMED_OUT: "Still in the sequence when the wait ended.",
  NOT_ENROLLED: "Not in a sequence.",
  NOT_SUPPORTED: "Unenrolling isn't set up, or didn't work.",
  true: "In a sequence.",
  false: "Not in a sequence.",
};

/** An answer in words; undefined: it has none. */
export function answerWords(answer: string | null): string | undefined {
  return answer !== null && Object.hasOwn(ANSWER_WORDS, answer)
    ? ANSWER_WORDS[answer as keyof typeof ANSWER_WORDS]
    : undefined;
}

/** What the page says besides the outcome, by the execution's state; empty if nothing. */
const REMARKS: Readonly<Record<string, string>> = {
  QUEUED: "Queued.",
  ATTEMPTING: "Enrolling now.",
  UNCERTAIN:
    "We didn't get HubSpot's response. Checking whether the contact was enrolled before trying again.",
  WATCHING: "Waiting for the sequence to end.",
  DECIDED: "Reporting the result to the workflow.",
  COMPLETION_REFUSED: "The workflow had already moved on, so HubSpot didn't accept the result.",
  COMPLETION_ABANDONED: "We couldn't report the result in time, so the workflow continued without it.",
};

/** What shows how far a waiting contact is. */
export interface ShownState {
  readonly state: string;
  readonly attempts: number;
  readonly outcome: OutcomeName;
  readonly notBefore: Date | null;
  readonly kind?: ExecutionKind;
}

/** The present, and whether the portal is paused in it. */
export interface Present {
  readonly now: Date;
  readonly isPaused: boolean;
}

/** Why a waiting contact waits, if not for its turn: the action names a later day, or enrollment is paused. */
export function waitsFor(
  { state, outcome, notBefore }: ShownState,
  { now, isPaused }: Present,
): "scheduled" | "held" | undefined {
  if (outcome !== "waiting" || state !== "QUEUED") return undefined;
  if (notBefore !== null && notBefore.getTime() > now.getTime()) return "scheduled";
  return isPaused ? "held" : undefined;
}

/** The badge of an execution: its outcome, or, while it waits, why. */
export function badgeOf(item: ShownState, present: Present): string {
  const waits = waitsFor(item, present);
  if (waits === undefined) return OUTCOME_LABELS[item.outcome];
  return waits === "scheduled" ? "Scheduled" : "Held";
}

export function remarkOn(item: ShownState, present: Present): string {
  const { state, attempts, outcome, kind } = item;
  const waits = waitsFor(item, present);
  // When it is due is shown beside it.
  if (waits === "scheduled") return "Scheduled by the workflow action.";
  if (waits === "held") return "Held: enrollment is paused.";
  if (state === "QUEUED" && attempts === 0 && kind === "UNENROLL") return "Waiting to be unenrolled.";
  if (state === "WATCHING" && kind === "UNENROLL") return "Being taken out of its sequence.";
  if (state === "QUEUED" && attempts > 0) return "Retrying soon.";
  if (state === "COMPLETED" && outcome === "already-enrolled") return "";
  return REMARKS[state] ?? "";
}
