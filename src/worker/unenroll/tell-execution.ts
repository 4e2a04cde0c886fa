import { answered, failed, type Outcome } from "#domain/contract/outcome.js";
import type { Look, LookResult } from "#domain/executions/watch.js";
import type { AskingExecution, DueUnenrollment } from "#domain/unenroll/unenrollments.js";

const WHY_NOT_REPLACED = {
  TIMED_OUT: "It was to be taken out of it first, and HubSpot did not do so in time.",
  NOT_SUPPORTED:
    "It was to be taken out of it first, and that cannot be done in this account now: see Settings → Unenroll.",
} as const;

function outcomeOfUnenroll({ outcome, enrollment }: DueUnenrollment): Outcome {
  if (outcome === undefined) return failed("CONTACT_NOT_FOUND");
  const { sequenceId, sequenceName, enrolledAt } = enrollment;
  return answered({
    outcome,
    sequence_id: sequenceId,
    sequence_name: sequenceName,
    enrolled_at: enrolledAt?.toISOString() ?? "",
  });
}

/** Of a step that replaces the contact's sequence by its own: it is enrolled next if it is out of the old one. */
function resultOfReplace({ outcome }: DueUnenrollment): LookResult {
  if (outcome === undefined) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  if (outcome === "UNENROLLED" || outcome === "NOT_ENROLLED") return { to: "QUEUED" };
  const refusal = failed("ALREADY_ENROLLED", { detail: WHY_NOT_REPLACED[outcome] });
  return { to: "DECIDED", outcome: { ...refusal, enrollmentStatus: "ALREADY_ENROLLED" } };
}

/** What the end of an unenrollment means for the execution that asked for it. */
export function lookOf(due: DueUnenrollment, execution: AskingExecution): Look {
  const result: LookResult =
    execution.kind === "ENROLL" ? resultOfReplace(due) : { to: "DECIDED", outcome: outcomeOfUnenroll(due) };
  return { execution, result };
}
