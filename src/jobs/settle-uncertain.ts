import type { ClaimedExecution } from "../executions/execution.js";
import { enrolled, failed, type Outcome, type Sender } from "../executions/outcome.js";
import type { Result } from "../executions/write-back.js";
import { HubSpotRejected } from "../hubspot/errors.js";
import type { CurrentEnrollment } from "../hubspot/gateway.js";
import { later, recoverable } from "./attempt-faults.js";
import type { EnrollContext } from "./enroll-contact.js";

/** HubSpot's clock may lag ours by this much: an enrollment this long before our attempt can still be ours. */
const CLOCK_TOLERANCE_MS = 5_000;

function isOurs(enrollment: CurrentEnrollment, execution: ClaimedExecution): boolean {
  const startedAtMs = execution.firstAttemptAt.getTime() - CLOCK_TOLERANCE_MS;
  return enrollment.sequenceId === execution.sequenceId && enrollment.enrolledAt.getTime() >= startedAtMs;
}

function enrollmentSender(enrollment: CurrentEnrollment): Sender | undefined {
  const { enrolledBy, enrolledByEmail } = enrollment;
  if (enrolledBy == null || enrolledByEmail === null || !/^\d+$/.test(enrolledBy)) return undefined;
  return { userId: BigInt(enrolledBy), email: enrolledByEmail };
}

function fromEnrollment(enrollment: CurrentEnrollment): Outcome {
  return enrolled({
    id: enrollment.id,
    enrolledAt: enrollment.enrolledAt,
    sequenceName: enrollment.sequenceName ?? undefined,
    sender: enrollmentSender(enrollment),
  });
}

/** What reading the contact's enrollment says of an attempt without an answer. */
export async function readUncertain(
  execution: ClaimedExecution,
  context: Pick<EnrollContext, "gateway">,
): Promise<Result> {
  try {
    const current = await context.gateway.readEnrollment(execution.contactId);
    if (current !== undefined && isOurs(current, execution))
      return { to: "DECIDED", outcome: fromEnrollment(current) };
    return { to: "QUEUED", delayMs: 0 };
  } catch (fault) {
    // Even a refusal says nothing about the enrollment: calling it failed could contradict HubSpot.
    if (fault instanceof HubSpotRejected) return later("UNCERTAIN", execution, fault);
    return recoverable(fault, execution, "UNCERTAIN");
  }
}

/**
 * Settles an execution whose last attempt ended without an answer, by reading the contact's enrollment: the same
 * sequence, enrolled at or after the attempt, is ours and counts as done; otherwise it may be attempted again.
 */
export async function settleUncertain(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const read = await readUncertain(execution, context);
  const isLate = execution.deadlineAt.getTime() <= Date.now();
  const result: Result =
    isLate && read.to !== "DECIDED" ? { to: "DECIDED", outcome: failed("DEADLINE_EXCEEDED") } : read;
  await context.desk.settle(execution, result);
  return result;
}
