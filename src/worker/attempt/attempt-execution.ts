import { ERASED_CONTACT, UNKNOWN_CONTACT, type ClaimedExecution } from "#domain/contract/execution.js";
import { failed } from "#domain/contract/outcome.js";
import type { Result } from "#domain/executions/write-back.js";
import { FailedUnsent, giveUp, recoverable } from "./attempt-faults.js";
import { checkEnrollment } from "./check-enrollment.js";
import { enrollContact } from "./enroll-contact.js";
import type { EnrollContext } from "./enroll-context.js";
import { unenrollContact } from "./begin-unenrollment.js";
import { settleUncertain } from "./settle-uncertain.js";

/**
 * Processes a claimed execution, unless it has to be given up, and settles the sender's reservation by the result.
 *
 * @throws only what is our own fault; HubSpot's are part of the result.
 */
export async function attemptExecution(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const { senders } = context;
  try {
    const known = giveUp(execution) ?? (await identified(execution, context));
    const result = "to" in known ? known : await attemptByKind(known, context);
    await senders.settle(execution, result);
    return result;
  } catch (error) {
    if (error instanceof FailedUnsent) senders.release(execution);
    throw error;
  }
}

/**
 * The execution with its contact's id, which HubSpot is asked for if the caller knew the address alone; otherwise its
 * result.
 */
async function identified(
  execution: ClaimedExecution,
  { contacts, gateway }: EnrollContext,
): Promise<ClaimedExecution | Result> {
  const { id: executionId, contactEmail: email } = execution;
  if (execution.contactId !== UNKNOWN_CONTACT) return execution;
  try {
    const contactId = email === null ? undefined : await contacts.idOf({ executionId, email, gateway });
    if (contactId !== undefined) return { ...execution, contactId };
    return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND", { detail: "Nobody has this address." }) };
  } catch (error) {
    return recoverable(error, execution, execution.state === "UNCERTAIN" ? "UNCERTAIN" : "QUEUED");
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
    case "UNENROLL":
      return unenrollContact(execution, context);
    case "WAIT_FOR_SEQUENCE_END":
      // Begins in WATCHING (accept.ts); one that was queued anyway goes back there.
      return isUncertain ? { to: "QUEUED", delayMs: 0 } : { to: "WATCHING", delayMs: 0 };
  }
}
