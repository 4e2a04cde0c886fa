import { ERASED_CONTACT, type ClaimedExecution } from "#domain/contract/execution.js";
import { failed } from "#domain/contract/outcome.js";
import type { Result } from "#domain/executions/write-back.js";
import { FailedUnsent, giveUp } from "./attempt-faults.js";
import { checkEnrollment } from "./check-enrollment.js";
import { enrollContact } from "./enroll-contact.js";
import type { EnrollContext } from "./enroll-context.js";
import { settleUncertain } from "./settle-uncertain.js";

/**
 * Processes a claimed execution, unless it has to be given up, and settles the sender's reservation by the result.
 *
 * @throws only what is our own fault; HubSpot's are part of the result.
 */
export async function attemptExecution(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const { senders } = context;
  try {
    const result = giveUp(execution) ?? (await attemptByKind(execution, context));
    await senders.settle(execution, result);
    return result;
  } catch (error) {
    if (error instanceof FailedUnsent) senders.release(execution);
    throw error;
  }
}

async function attemptByKind(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  if (execution.contactId === ERASED_CONTACT) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  const isUncertain = execution.state === "UNCERTAIN";
  switch (execution.kind) {
    case "ENROLL":
      return isUncertain ? settleUncertain(execution, context) : enrollContact(execution, context);
    case "CHECK_ENROLLMENT":
      return checkEnrollment(execution, context);
    case "WAIT_FOR_SEQUENCE_END":
      // Begins in WATCHING (accept.ts); one that was queued anyway goes back there.
      return isUncertain ? { to: "QUEUED", delayMs: 0 } : { to: "WATCHING", delayMs: 0 };
  }
}
