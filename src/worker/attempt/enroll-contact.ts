import type { ClaimedExecution } from "#domain/contract/execution.js";
import { senderPatienceMs } from "#domain/contract/hold.js";
import { failed } from "#domain/contract/outcome.js";
import { findPeople } from "#domain/dry-run/find-people.js";
import { timeLeftMs } from "#domain/executions/time-left.js";
import type { Result } from "#domain/executions/write-back.js";
import type { SenderDecision, SenderRequest } from "#domain/senders/choose-sender.js";
import type { PeopleSources } from "#domain/senders/people.js";
import { HubSpotError } from "#platform/hubspot/errors.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { afterFailure, afterSuccess } from "./after-request.js";
import { FailedUnsent, recoverable } from "./attempt-faults.js";
import type { EnrollContext } from "./enroll-context.js";
import { judgeContact, type AdmittedContact } from "./judge-contact.js";

/** How many senders HubSpot may refuse before the contact is postponed: the refused ones are passed over next time. */
const MAX_SENDERS_TRIED = 5;
const NEXT_ROUND: Result = {
  to: "QUEUED",
  isWait: true,
  delayMs: 1_000,
  problem: `HubSpot refused ${MAX_SENDERS_TRIED} senders in a row.`,
};

/**
 * Attempts one claimed execution: checks the contact against the portal's policy, finds the sender, stores the intent,
 * enrolls, and explains a refusal. If the refusal concerns the sender, it continues with the next one. Nothing is sent
 * for a contact without an address or without a sender.
 *
 * @throws LeaseLost, and faults of our own code: FailedUnsent if certainly nobody was enrolled. HubSpot's faults and
 *   the database's are part of the result.
 */
export async function enrollContact(claimed: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const { senders, gateway } = context;
  // False: none was sent, or HubSpot refused the last one. Set before the request, because a later exception does not
  // show whether it was sent.
  let mayHaveEnrolled = false;
  try {
    const contact = await judgeContact(claimed, context);
    if ("to" in contact) return contact;
    const { execution, policy } = contact;
    for (let tried = 0; tried < MAX_SENDERS_TRIED; tried += 1) {
      const decision = await senders.choose(senderRequest(contact, context));
      if (decision.kind !== "send") return withoutSender(decision);
      await senders.storeIntent(execution.id, decision.sender, decision.choice);
      mayHaveEnrolled = true;
      const { contactId, sequenceId } = execution;
      const { userId, email, alias } = decision.sender;
      const attempt = { execution, policy, sender: { userId, email }, context };
      const result = await gateway
        .enroll({ contactId, sequenceId, userId, senderEmail: email, senderAlias: alias })
        .then(
          (enrollment) => afterSuccess(enrollment, attempt),
          (fault: unknown) => afterFailure(fault, attempt),
        );
      if (result.to !== "NEXT_SENDER") return result;
      mayHaveEnrolled = false;
      await senders.refused(execution.id, result.refused);
    }
    return NEXT_ROUND;
  } catch (error) {
    return afterFault(error, claimed, mayHaveEnrolled);
  }
}

function senderRequest(
  { execution, policy, properties }: AdmittedContact,
  context: EnrollContext,
): SenderRequest {
  const { contactId, sequenceId } = execution;
  return {
    executionId: execution.id,
    policy,
    properties,
    alias: execution.request.senderAlias,
    people: peopleSources(context),
    lastSender: async () => (await context.senders.historyOf({ contactId, sequenceId }))?.lastSenderUserId,
    patienceMs: senderPatienceMs(timeLeftMs(execution.deadlineMs)),
  };
}

function peopleSources(context: EnrollContext): PeopleSources {
  const { portalId, directory, gateway, ownerReads, copy, renewed, absent } = context;
  return findPeople({
    portalId,
    directory,
    renewed,
    absent,
    readOwner: (ownerId) => ownerReads(ownerId, () => gateway.readOwner(ownerId)),
    readOwnerOfUser: (userId) => ownerReads(`user ${userId}`, () => gateway.readOwnerOfUser(userId)),
    saveOwner: async (found) => {
      if (!(await copy.confirmOwner(found)))
        throw new LeaseLost(`the copy of portal ${portalId} belongs to another owner now`);
    },
  });
}

function withoutSender(
  decision: Exclude<SenderDecision, { kind: "send" }> & { readonly policyReadAt: Date },
): Result {
  const { reason, choice: senderChoice } = decision;
  if (decision.kind === "fail")
    return {
      to: "DECIDED",
      outcome: failed(decision.code, { message: reason, sender: decision.sender }),
      senderChoice,
    };
  const { delayMs, forUserId, policyReadAt } = decision;
  return { to: "QUEUED", isWait: true, delayMs, problem: reason, forUserId, senderChoice, policyReadAt };
}

/** HubSpot's own faults were judged where the request was sent; any other says nothing about its effect. */
function afterFault(fault: unknown, execution: ClaimedExecution, mayHaveEnrolled: boolean): Result {
  const isDoubtful = mayHaveEnrolled && !(fault instanceof HubSpotError);
  try {
    return recoverable(fault, execution, isDoubtful ? "UNCERTAIN" : "QUEUED");
  } catch (error) {
    if (isDoubtful || error instanceof LeaseLost) throw error;
    throw new FailedUnsent("the attempt failed before anything was sent", { cause: error });
  }
}
