import type { ClaimedExecution } from "#domain/contract/execution.js";
import { enrolled, failed, refusedByPolicy } from "#domain/contract/outcome.js";
import { readSequenceFacts } from "#domain/contract/sequence-facts.js";
import { timeLeftMs } from "#domain/executions/time-left.js";
import type { Result } from "#domain/executions/write-back.js";
import { HubSpotError, HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { withoutPersons } from "#platform/hubspot/without-persons.js";
import type { SenderDecision } from "#domain/senders/choose-sender.js";
import { neededProperties, refuseContact } from "#domain/senders/contact-policy.js";
import type { Policy } from "#domain/contract/policy.js";
import { afterAlreadyEnrolled, afterRefusal, type Attempt, type RefusedAsSender } from "./after-refusal.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { FailedUnsent, later, recoverable } from "./attempt-faults.js";
import { findPeople } from "#domain/dry-run/find-people.js";
import type { EnrollContext } from "./enroll-context.js";

/** Senders HubSpot may refuse before the contact is put back: those refused are passed over next time. */
const MAX_SENDERS_TRIED = 5;
const NEXT_ROUND_MS = 1_000;
/** A sender that is free later than this before the deadline is of no use. */
const DEADLINE_MARGIN_MS = 60_000;

type Properties = Readonly<Record<string, string | null>>;
type SendDecision = Extract<SenderDecision, { kind: "send" }>;

/** Everything one contact is enrolled by. */
interface Order {
  readonly execution: ClaimedExecution;
  readonly context: EnrollContext;
  readonly policy: Policy;
  readonly properties: Properties;
  readonly request: EnrollState;
}

/** What is known of the attempt's enroll request when something throws. */
interface EnrollState {
  /** False: none was sent, or HubSpot refused the last one. Set before the request: what throws later says nothing of it. */
  mayHaveEnrolled: boolean;
}

function notYet(execution: ClaimedExecution, now: Date): Result | undefined {
  const { notBefore } = execution.request;
  if (notBefore === undefined) return undefined;
  const delayMs = Date.parse(notBefore) - now.getTime();
  if (!(delayMs > 0)) return undefined;
  return { to: "QUEUED", isWait: true, delayMs, problem: `Not to be enrolled before ${notBefore}.` };
}

async function refusedByContactPolicy({
  execution,
  context,
  policy,
  properties,
}: Order): Promise<Result | undefined> {
  const { contactId, sequenceId } = execution;
  const history =
    policy.cooldown.days > 0 ? await context.desk.historyOf({ contactId, sequenceId }) : undefined;
  const { timeZone } = await context.desk.policy();
  const now = context.desk.now();
  const refusal = refuseContact(policy, { sequenceId, properties, history, now, timeZone });
  // The cooldown of a contact that is in a sequence began with that very enrollment.
  if (refusal?.code === "COOLDOWN_ACTIVE" && (await isInSequence(contactId, { context, properties })))
    return afterAlreadyEnrolled({ execution, context, ifAlreadyEnrolled: policy.ifAlreadyEnrolled });
  return refusal && { to: "DECIDED", outcome: refusedByPolicy(refusal) };
}

/** By its properties, which are some seconds behind, and then by HubSpot's look-up, one request (docs/hubspot.md §5.1). */
async function isInSequence(
  contactId: string,
  { context, properties }: Pick<Order, "context" | "properties">,
): Promise<boolean> {
  if (!readSequenceFacts(properties, context.desk.now()).isEnrolled) return false;
  return (await context.gateway.readEnrollment(contactId)) !== undefined;
}

function choose({ execution, context, policy, properties }: Order): Promise<SenderDecision> {
  const { portalId, directory, gateway, ownerReads, desk } = context;
  const { contactId, sequenceId } = execution;
  return desk.choose({
    executionId: execution.id,
    policy,
    properties,
    alias: execution.request.senderAlias,
    people: findPeople({
      portalId,
      directory,
      readOwner: (ownerId) => ownerReads(ownerId, () => gateway.readOwner(ownerId)),
      readOwnerOfUser: (userId) => ownerReads(`user ${userId}`, () => gateway.readOwnerOfUser(userId)),
      saveOwner: async (found) => {
        if (!(await context.copy.confirmOwner(found)))
          throw new LeaseLost(`the copy of portal ${portalId} belongs to another owner now`);
      },
      renewed: context.renewed,
      absent: context.absent,
    }),
    lastSender: async () => (await desk.historyOf({ contactId, sequenceId }))?.lastSenderUserId,
    patienceMs: timeLeftMs(execution.deadlineMs) - DEADLINE_MARGIN_MS,
  });
}

async function send(attempt: Attempt, request: EnrollState): Promise<Result | RefusedAsSender> {
  const { execution, sender, context } = attempt;
  request.mayHaveEnrolled = true;
  try {
    const enrollment = await context.gateway.enroll({
      contactId: execution.contactId,
      sequenceId: execution.sequenceId,
      userId: sender.userId,
      senderEmail: sender.email,
      senderAlias: attempt.alias,
    });
    // The contact is enrolled: a name that cannot be looked up must not make that uncertain.
    const sequenceName = await context.directory
      .sequenceName(context.portalId, execution.sequenceId)
      .catch(() => undefined);
    const { id, enrolledAt } = enrollment;
    return { to: "DECIDED", outcome: enrolled({ id, enrolledAt, sequenceName, sender }) };
  } catch (fault) {
    if (fault instanceof HubSpotRejected) return afterRefusal(fault, attempt);
    if (fault instanceof HubSpotUnavailable)
      return later(fault.wasNotSent ? "QUEUED" : "UNCERTAIN", execution, fault);
    throw fault;
  }
}

async function sendAs(decision: SendDecision, order: Order): Promise<Result | undefined> {
  const { execution, context, policy, request } = order;
  const { userId, email, alias } = decision.sender;
  await context.desk.storeIntent(execution.id, decision.sender, decision.choice);
  const { ifAlreadyEnrolled } = policy;
  const attempt = { execution, sender: { userId, email }, alias, ifAlreadyEnrolled, context };
  const result = await send(attempt, request);
  if (result.to !== "NEXT_SENDER") return result;
  request.mayHaveEnrolled = false;
  // Told of the sender from now on, to other contacts too.
  const message = withoutPersons(result.message, email);
  await context.desk.refused(execution.id, { userId, email, code: result.code, message });
  return undefined;
}

/** Tries senders until one is accepted, or none is left that can send now. */
async function enrollAsSomebody(order: Order): Promise<Result> {
  for (let tried = 0; tried < MAX_SENDERS_TRIED; tried += 1) {
    const decision = await choose(order);
    switch (decision.kind) {
      case "send": {
        const result = await sendAs(decision, order);
        if (result !== undefined) return result;
        break;
      }
      case "wait": {
        const { delayMs, reason: problem, forUserId, choice: senderChoice } = decision;
        return { to: "QUEUED", isWait: true, delayMs, problem, forUserId, senderChoice };
      }
      case "fail": {
        const { code, reason, choice: senderChoice } = decision;
        return { to: "DECIDED", outcome: failed(code, { detail: reason }), senderChoice };
      }
    }
  }
  const problem = `HubSpot refused ${MAX_SENDERS_TRIED} senders in a row.`;
  return { to: "QUEUED", isWait: true, delayMs: NEXT_ROUND_MS, problem };
}

async function attemptContact(
  execution: ClaimedExecution,
  context: EnrollContext,
  request: EnrollState,
): Promise<Result> {
  const { desk, gateway } = context;
  const waiting = notYet(execution, desk.now());
  if (waiting !== undefined) return waiting;
  const { portal, effective } = await desk.policyOf(execution);
  // Claimed before the pause was seen; from now on nothing more is.
  if (portal.isPaused)
    return { to: "QUEUED", isWait: true, delayMs: 0, problem: "Enrolling is paused for this account." };
  if (effective.kind === "unusable")
    return { to: "DECIDED", outcome: failed("INVALID_INPUT", { detail: effective.reason }) };
  const { policy } = effective;
  const contact = await context.contacts.of(execution, { needed: neededProperties(policy), gateway });
  if (contact === undefined) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  const { contactId, properties } = contact;
  if (!properties["email"]) return { to: "DECIDED", outcome: failed("CONTACT_HAS_NO_EMAIL") };
  const order: Order = { execution: { ...execution, contactId }, context, policy, properties, request };
  return (await refusedByContactPolicy(order)) ?? (await enrollAsSomebody(order));
}

/** HubSpot's own faults were judged where the request was sent; any other says nothing of what became of it. */
async function afterFault(
  fault: unknown,
  { execution, context, request }: Pick<Order, "execution" | "context" | "request">,
): Promise<Result> {
  const isDoubtful = request.mayHaveEnrolled && !(fault instanceof HubSpotError);
  try {
    return recoverable(fault, execution, isDoubtful ? "UNCERTAIN" : "QUEUED");
  } catch (cause) {
    if (isDoubtful || cause instanceof LeaseLost) throw cause;
    await context.desk.settle(execution, { to: "QUEUED", delayMs: 0 });
    throw new FailedUnsent("the attempt failed before anything was sent", { cause });
  }
}

/**
 * Attempts one claimed execution: holds the contact against the portal's policy, finds the sender, stores the intent,
 * enrolls, and explains a refusal. Nothing is sent for a contact without an address or without a sender.
 *
 * @throws LeaseLost, and what is a fault of our own code: FailedUnsent where certainly nobody was enrolled. HubSpot's
 *   faults and the database's are part of the result.
 */
export async function enrollContact(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const request: EnrollState = { mayHaveEnrolled: false };
  const result = await attemptContact(execution, context, request).catch((fault: unknown) =>
    afterFault(fault, { execution, context, request }),
  );
  await context.desk.settle(execution, result);
  return result;
}
