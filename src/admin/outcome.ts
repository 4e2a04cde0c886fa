/** What an admin tells executions apart by; also the values of the page's `?status=`. */
export const OUTCOMES = ["waiting", "enrolled", "already-enrolled", "skipped", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const OUTCOME_LABELS: Readonly<Record<Outcome, string>> = {
  waiting: "Waiting",
  enrolled: "Enrolled",
  "already-enrolled": "Already enrolled",
  skipped: "Skipped",
  failed: "Not enrolled",
};

/** The SQL side of `outcomeOf`; both read the same two columns. */
export const OUTCOME_CONDITIONS: Readonly<Record<Outcome, string>> = {
  waiting: "enrollment_status IS NULL",
  enrolled: "enrollment_status = 'ENROLLED'",
  "already-enrolled": "enrollment_status = 'ALREADY_ENROLLED'",
  skipped: "enrollment_status = 'SKIPPED'",
  failed: "enrollment_status = 'FAILED'",
};

const BY_STATUS: Readonly<Record<string, Outcome>> = {
  ENROLLED: "enrolled",
  ALREADY_ENROLLED: "already-enrolled",
  SKIPPED: "skipped",
  FAILED: "failed",
};

/** An execution without an enrollment status is not decided yet. */
export function outcomeOf(enrollmentStatus: string | null): Outcome {
  return BY_STATUS[enrollmentStatus ?? ""] ?? "waiting";
}

/** What is left to say besides the outcome, by the execution's state; empty where nothing is. */
const REMARKS: Readonly<Record<string, string>> = {
  QUEUED: "In line to be enrolled.",
  ATTEMPTING: "Being enrolled now.",
  UNCERTAIN: "HubSpot's answer was lost. Checking what happened before anything is sent again.",
  WATCHING: "Waits for the contact's current sequence to end.",
  DECIDED: "The workflow is about to be told.",
  COMPLETION_REFUSED: "HubSpot did not take the result: the workflow had already moved on.",
  COMPLETION_ABANDONED: "HubSpot could not be told in time, so the workflow moved on by itself.",
};

export function remarkOn(item: { state: string; attempts: number; outcome: Outcome }): string {
  const { state, attempts, outcome } = item;
  if (state === "QUEUED" && attempts > 0) return "Will be tried again shortly.";
  if (state === "COMPLETED" && outcome === "already-enrolled") return "Was in a sequence already.";
  return REMARKS[state] ?? "";
}

export function isOutcome(value: unknown): value is Outcome {
  return OUTCOMES.some((outcome) => outcome === value);
}
