import type { ClaimedExecution } from "#domain/contract/execution.js";
import { senderPatienceMs } from "#domain/contract/hold.js";
import { failed } from "#domain/contract/outcome.js";
import { timeLeftMs } from "#domain/executions/time-left.js";
import type { Result } from "#domain/executions/write-back.js";
import type { SenderDecision } from "#domain/senders/choose-sender.js";
import { HubSpotError } from "#platform/hubspot/errors.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { afterFailure, afterSuccess } from "./after-request.js";
import { FailedUnsent, recoverable } from "./attempt-faults.js";
import type { EnrollContext } from "./enroll-context.js";
import { judgeContact } from "./judge-contact.js";

/** How many senders HubSpot may refuse before the contact is postponed: the refused ones are skipped next time. */
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
  const { senders, people, gateway } = context;
  // False: none was sent, or HubSpot refused the last one. Set before the request, because a later exception does not
  // show whether it was sent.
  let mayHaveEnrolled = false;
  try {
    const contact = await judgeContact(claimed, context);
    if ("to" in contact) return contact;
    const { execution, policy, properties } = contact;
    const { id: executionId, contactId, sequenceId, deadlineMs, request } = execution;
    const lastSender = async () => (await senders.historyOf({ contactId, sequenceId }))?.lastSenderUserId;
    for (let tried = 0; tried < MAX_SENDERS_TRIED; tried += 1) {
      const decision = await senders.choose({
        executionId,
        policy,
        properties,
        people,
        lastSender,
        alias: request.senderAlias,
        patienceMs: senderPatienceMs(timeLeftMs(deadlineMs)),
      });
      if (decision.kind !== "send") return withoutSender(decision);
      const { userId, email: senderEmail, alias: senderAlias } = decision.sender;
      const { choice: senderChoice } = decision;
      await senders.storeIntent({ executionId, senderUserId: userId, senderEmail, senderChoice });
      mayHaveEnrolled = true;
      const attempt = { execution, policy, sender: { userId, email: senderEmail }, context };
      const result = await gateway.enroll({ contactId, sequenceId, userId, senderEmail, senderAlias }).then(
        (enrollment) => afterSuccess(enrollment, attempt),
        (fault: unknown) => afterFailure(fault, attempt),
      );
      if (result.to !== "NEXT_SENDER") return result;
      mayHaveEnrolled = false;
      await senders.refused(executionId, result.refused);
    }
    return NEXT_ROUND;
  } catch (error) {
    return afterFault(error, claimed, mayHaveEnrolled);
  }
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
