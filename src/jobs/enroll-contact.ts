import type { Directory } from "../directory/directory.js";
import type { ClaimedExecution } from "../executions/execution.js";
import { alreadyEnrolled, enrolled, failed, type Outcome, type Sender } from "../executions/outcome.js";
import { refusalCode } from "../executions/refusal.js";
import type { Result } from "../executions/write-back.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
} from "../hubspot/errors.js";
import type { CurrentEnrollment, Owner, PortalGateway } from "../hubspot/gateway.js";
import { backoffMs } from "../queue/backoff.js";
import { chooseSender } from "./choose-sender.js";

export interface EnrollContext {
  readonly portalId: bigint;
  readonly gateway: PortalGateway;
  readonly directory: Directory;
  /** Owner reads of this turn: a burst of contacts of one unknown owner costs one request. */
  readonly ownerReads: (
    ownerId: string,
    read: () => Promise<Owner | undefined>,
  ) => Promise<Owner | undefined>;
}

/** HubSpot's clock may lag ours by this much: an enrollment this long before our attempt can still be ours. */
const CLOCK_TOLERANCE_MS = 5_000;
const RETRY = { baseMs: 2_000, capMs: 15 * 60_000 };
/** How soon a portal that cannot be called (grant revoked, app misconfigured) is looked at again. */
const PARKED_MS = 60_000;

function decided(outcome: Outcome): Result {
  return { to: "DECIDED", outcome };
}

function later(
  to: "QUEUED" | "UNCERTAIN",
  execution: ClaimedExecution,
  fault: Error & { retryAfterMs?: number | undefined },
): Result {
  const delayMs = Math.max(fault.retryAfterMs ?? 0, backoffMs(execution.retries + 1, RETRY));
  return { to, delayMs, problem: fault.message };
}

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

/** A portal that cannot be called now: nothing was sent, the execution waits. Anything else is not ours to explain. */
function parked(fault: unknown): Result | undefined {
  if (!(fault instanceof GrantRevoked) && !(fault instanceof AppMisconfigured)) return undefined;
  return { to: "QUEUED", delayMs: PARKED_MS, problem: fault.message };
}

/** Contact properties: from the call, or read from HubSpot where the call carried none. */
async function withProperties(
  execution: ClaimedExecution,
  { gateway }: EnrollContext,
): Promise<ClaimedExecution["request"] | undefined> {
  const { request } = execution;
  if (request.properties !== undefined && Object.keys(request.properties).length > 0) return request;
  const properties = await gateway.readContact(execution.contactId, ["email", "hubspot_owner_id"]);
  return properties && { ...request, properties };
}

/** The properties tell of an enrollment by then, however late they are (dossier §7.1). */
const FIRST_WATCH_MS = 60_000;

/** The contact is in a sequence, and not because of us. */
function ofOthers({ request }: ClaimedExecution, sender: Sender): Result {
  const { ifAlreadyEnrolled } = request;
  if (ifAlreadyEnrolled === "wait") return { to: "WATCHING", delayMs: FIRST_WATCH_MS };
  return decided(alreadyEnrolled(ifAlreadyEnrolled, sender));
}

/**
 * HubSpot says that the contact is enrolled. An earlier attempt that it answered late, or never, may be why: only reading
 * tells. Where that fails it is read again, not sent again: the enrollment could end meanwhile.
 */
async function afterAlreadyEnrolled({ execution, sender, context }: Attempt): Promise<Result> {
  const isOthers = ofOthers(execution, sender);
  if (execution.attempts === 1) return isOthers;
  const found = await readUncertain(execution, context);
  return found.to === "QUEUED" ? isOthers : found;
}

async function afterRefusal(refusal: HubSpotRejected, attempt: Attempt): Promise<Result> {
  const { execution, sender, context } = attempt;
  const code = refusalCode({ ...refusal, message: refusal.hubspotMessage });
  switch (code) {
    case "ALREADY_ENROLLED":
      return afterAlreadyEnrolled(attempt);
    case undefined: {
      const sequence = await context.gateway.readSequence({
        sequenceId: execution.sequenceId,
        userId: sender.userId,
      });
      return decided(failed(sequence === undefined ? "SEQUENCE_NOT_FOUND" : "CONTACT_NOT_FOUND", { sender }));
    }
    case "HUBSPOT_REJECTED":
    case "INVALID_INPUT":
      return decided(failed(code, { sender, detail: `HubSpot said: ${refusal.hubspotMessage}` }));
    default:
      return decided(failed(code, { sender }));
  }
}

interface Attempt {
  readonly execution: ClaimedExecution;
  readonly sender: Sender;
  readonly context: EnrollContext;
}

async function send(attempt: Attempt): Promise<Result> {
  const { execution, sender, context } = attempt;
  try {
    const enrollment = await context.gateway.enroll({
      contactId: execution.contactId,
      sequenceId: execution.sequenceId,
      userId: sender.userId,
      senderEmail: sender.email,
      senderAlias: execution.request.senderAlias,
    });
    // The contact is enrolled: a name that cannot be looked up must not make that uncertain.
    const sequenceName = await context.directory
      .sequenceName(context.portalId, execution.sequenceId)
      .catch(() => undefined);
    return decided(enrolled({ id: enrollment.id, enrolledAt: enrollment.enrolledAt, sequenceName, sender }));
  } catch (fault) {
    if (fault instanceof HubSpotRejected) return afterRefusal(fault, attempt);
    if (fault instanceof HubSpotUnavailable)
      return later(fault.wasNotSent ? "QUEUED" : "UNCERTAIN", execution, fault);
    throw fault;
  }
}

/**
 * Attempts one claimed execution: finds the sender, enrolls, and explains a refusal. Nothing is sent for a contact
 * without an address or without a sender.
 *
 * @throws only what is a fault of ours; HubSpot's are part of the result.
 */
export async function enrollContact(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  try {
    const request = await withProperties(execution, context);
    if (request === undefined) return decided(failed("CONTACT_NOT_FOUND"));
    if (!request.properties?.["email"]) return decided(failed("CONTACT_HAS_NO_EMAIL"));
    const choice = await chooseSender(request, {
      portalId: context.portalId,
      directory: context.directory,
      readOwner: (ownerId) => context.ownerReads(ownerId, () => context.gateway.readOwner(ownerId)),
      readOwnerOfUser: (userId) =>
        context.ownerReads(`user ${userId}`, () => context.gateway.readOwnerOfUser(userId)),
    });
    if (choice.kind === "nobody") return decided(failed(choice.code, { detail: choice.detail }));
    return await send({ execution, sender: choice.sender, context });
  } catch (fault) {
    return recoverable(fault, execution, "QUEUED");
  }
}

/**
 * Settles an execution whose last attempt ended without an answer, by reading the contact's enrollment: the same
 * sequence, enrolled at or after the attempt, is ours and counts as done; otherwise it may be attempted again.
 */
export async function settleUncertain(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  const result = await readUncertain(execution, context);
  const isLate = execution.deadlineAt.getTime() <= Date.now();
  return isLate && result.to !== "DECIDED" ? decided(failed("DEADLINE_EXCEEDED")) : result;
}

async function readUncertain(execution: ClaimedExecution, context: EnrollContext): Promise<Result> {
  try {
    const current = await context.gateway.readEnrollment(execution.contactId);
    if (current !== undefined && isOurs(current, execution)) return decided(fromEnrollment(current));
    return { to: "QUEUED", delayMs: 0 };
  } catch (fault) {
    // Even a refusal says nothing about the enrollment: calling it failed could contradict HubSpot.
    if (fault instanceof HubSpotRejected) return later("UNCERTAIN", execution, fault);
    return recoverable(fault, execution, "UNCERTAIN");
  }
}

/** What a fault before (or instead of) the enroll request means for the execution: nothing was written at HubSpot. */
export function recoverable(fault: unknown, execution: ClaimedExecution, to: "QUEUED" | "UNCERTAIN"): Result {
  if (fault instanceof HubSpotThrottled || fault instanceof HubSpotUnavailable)
    return later(to, execution, fault);
  const waiting = parked(fault);
  if (waiting !== undefined) return { ...waiting, to } as Result;
  if (fault instanceof HubSpotRejected) {
    const code = refusalCode({ ...fault, message: fault.hubspotMessage }) ?? "CONTACT_NOT_FOUND";
    return decided(failed(code, { detail: `HubSpot said: ${fault.hubspotMessage}` }));
  }
  throw fault;
}
