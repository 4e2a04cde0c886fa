import type { ClaimedExecution } from "#domain/contract/execution.js";
import { msUntil } from "#domain/contract/hold.js";
import { failed, refusedByPolicy, type Outcome } from "#domain/contract/outcome.js";
import type { Policy } from "#domain/contract/policy.js";
import type { Result } from "#domain/executions/write-back.js";
import { neededProperties } from "#domain/senders/contact-policy.js";
import { judgeByPolicy } from "#domain/senders/contact-verdict.js";
import { afterAlreadyEnrolled } from "./after-request.js";
import type { EnrollContext } from "./enroll-context.js";

/** A contact that may be enrolled, with everything its enrollment depends on. */
export interface AdmittedContact {
  /** With the contact's current id in HubSpot. */
  readonly execution: ClaimedExecution;
  readonly policy: Policy;
  readonly properties: Readonly<Record<string, string | null>>;
}

const decided = (outcome: Outcome): Result => ({ to: "DECIDED", outcome });

const PAUSED: Result = {
  to: "QUEUED",
  isWait: true,
  delayMs: 0,
  problem: "Enrollment is paused for this account.",
};

/**
 * Checks a claimed execution's contact against its current data and the portal admin's policy.
 *
 * @returns the contact, or the execution's result without a request.
 * @throws HubSpot's and the database's faults.
 */
export async function judgeContact(
  execution: ClaimedExecution,
  context: EnrollContext,
): Promise<AdmittedContact | Result> {
  const { senders, contacts, gateway } = context;
  const waiting = notYet(execution, senders.now());
  if (waiting !== undefined) return waiting;
  const { portal, effective } = await senders.policy.of(execution);
  // Claimed before the pause was noticed; nothing more is claimed from now on.
  if (portal.isPaused) return PAUSED;
  if (effective.kind === "unusable") return decided(failed("INVALID_INPUT", { message: effective.reason }));
  const { policy } = effective;
  const found = await contacts.of(execution, { needed: neededProperties(policy), gateway });
  if (found === undefined) return decided(failed("CONTACT_NOT_FOUND"));
  const { contactId, properties } = found;
  const { sequenceId } = execution;
  const verdict = await judgeByPolicy(policy, {
    sequenceId,
    properties,
    timeZone: portal.timeZone,
    now: senders.now(),
    readHistory: () => senders.historyOf({ contactId, sequenceId }),
    readEnrollment: () => gateway.readEnrollment(contactId),
  });
  const contact = { execution: { ...execution, contactId }, policy, properties };
  switch (verdict.kind) {
    case "may-be-enrolled":
      return contact;
    case "in-sequence":
      return afterAlreadyEnrolled({ ...contact, context, ifAlreadyEnrolled: policy.ifAlreadyEnrolled });
    case "refused":
      return decided(refusedByPolicy(verdict));
  }
}

function notYet({ request: { notBefore } }: ClaimedExecution, now: Date): Result | undefined {
  if (notBefore === undefined) return undefined;
  const delayMs = msUntil(new Date(notBefore), now);
  if (delayMs === 0) return undefined;
  return { to: "QUEUED", isWait: true, delayMs, problem: `Not to be enrolled before ${notBefore}.` };
}
