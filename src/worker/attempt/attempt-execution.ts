import {
  ERASED_CONTACT,
  UNKNOWN_CONTACT,
  type ClaimedExecution,
  type ExecutionKind,
} from "#domain/contract/execution.js";
import { failed } from "#domain/contract/outcome.js";
import type { Result } from "#domain/executions/write-back.js";
import { FailedUnsent, giveUp, recoverable } from "./attempt-faults.js";
import { checkEnrollment } from "./check-enrollment.js";
import { enrollContact } from "./enroll-contact.js";
import type { EnrollContext } from "./enroll-context.js";
import { unenrollContact } from "./begin-unenrollment.js";
import { settleUncertain } from "./settle-uncertain.js";

type Attempt = (execution: ClaimedExecution, context: EnrollContext) => Promise<Result>;

/** What is done for an execution of each kind, and for one whose request may have been sent. */
const ATTEMPTS: Readonly<Record<ExecutionKind, { readonly begin: Attempt; readonly inDoubt: Attempt }>> = {
  ENROLL: { begin: enrollContact, inDoubt: settleUncertain },
  CHECK_ENROLLMENT: { begin: checkEnrollment, inDoubt: checkEnrollment },
  UNENROLL: { begin: unenrollContact, inDoubt: unenrollContact },
  // Begins in WATCHING (accept.ts); one that was queued anyway goes back there.
  WAIT_FOR_SEQUENCE_END: {
    begin: () => Promise.resolve({ to: "WATCHING", delayMs: 0 }),
    inDoubt: () => Promise.resolve({ to: "QUEUED", delayMs: 0 }),
  },
};

/**
 * Processes a claimed execution unless it has to be given up, and settles the sender's reservation according to the
 * result.
 *
 * @throws only what is our own fault; HubSpot's are part of the result.
 */
export async function attemptExecution(claimed: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const { senders } = context;
  const { begin, inDoubt } = ATTEMPTS[claimed.kind];
  const attempt = claimed.state === "UNCERTAIN" ? inDoubt : begin;
  try {
    const known = giveUp(claimed) ?? (await identified(claimed, context));
    const result = "to" in known ? known : await attempt(known, context);
    await senders.settle(claimed, result);
    return result;
  } catch (error) {
    if (error instanceof FailedUnsent) senders.release(claimed);
    throw error;
  }
}

/**
 * The execution with its contact's id, which HubSpot is asked for if the caller knew the address alone; its result if there
 * is no such contact.
 */
async function identified(
  execution: ClaimedExecution,
  { contacts, gateway }: EnrollContext,
): Promise<ClaimedExecution | Result> {
  const { id: executionId, contactEmail: email } = execution;
  if (execution.contactId === ERASED_CONTACT) return notFound();
  if (execution.contactId !== UNKNOWN_CONTACT) return execution;
  try {
    const contactId = email === null ? undefined : await contacts.idOf({ executionId, email, gateway });
    if (contactId === undefined) return notFound("Nobody has this address.");
    return contactId === ERASED_CONTACT ? notFound() : { ...execution, contactId };
  } catch (error) {
    return recoverable(error, execution, execution.state === "UNCERTAIN" ? "UNCERTAIN" : "QUEUED");
  }
}

const notFound = (detail?: string): Result => ({
  to: "DECIDED",
  outcome: failed("CONTACT_NOT_FOUND", { detail }),
});
