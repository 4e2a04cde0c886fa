import { invalid, notFound, ok, page, refuse, type Answer } from "../wire/answer.js";
import { isRecord, textOf } from "../wire/body.js";
import type { SimulatedContact, SimulatedSequence, SimulatedUser, Suppression } from "../portal/model.js";
import { actingUser, visibleSequence } from "./acting-user.js";
import type { ApiCall } from "./call.js";
import { refuseEnrollment, type EnrollRefusal } from "./enroll-refusal.js";

interface EnrollRequest {
  readonly user: SimulatedUser;
  readonly sequence: SimulatedSequence;
  readonly contact: SimulatedContact;
  readonly senderEmail: string;
  readonly senderAliasAddress: string | undefined;
}

const NO_INBOX = "SequenceStandardFriendlyError.PUBLIC_ENROLL_NO_CONNECTED_EMAILS";

/** UNSUBSCRIBED was seen on the live API; the other names are only likely spellings. */
const SUPPRESSED: Readonly<Record<Suppression, EnrollRefusal>> = {
  unsubscribed: {
    code: "SequenceError.UNSUBSCRIBED",
    message: "The contact has unsubscribed from emails",
    otherWords: "This recipient has opted out of all email",
  },
  bounced: {
    code: "SequenceError.BOUNCED",
    message: "Emails to the contact have bounced",
    otherWords: "The recipient previously bounced",
  },
  blocked: { code: "SequenceError.BLOCKED_ADDRESS", message: "The contact's email address is blocked" },
};

/** Enrolls one contact, or says why not. Has no idempotency key: a second POST is a second enrollment or a refusal. */
export function enroll(call: ApiCall): Answer {
  const acting = actingUser(call);
  const order = readRequest(call, "user" in acting ? acting.user : undefined);
  if ("refusal" in acting) return acting.refusal;
  if ("status" in order) return order;
  return (
    problemWithSender(call, order) ??
    problemWithContact(call, order) ??
    problemWithLimit(call, order) ??
    accept(call, order)
  );
}

function readRequest(call: ApiCall, user: SimulatedUser | undefined): EnrollRequest | Answer {
  const { portal, body } = call;
  if (!isRecord(body)) return invalid("Invalid input JSON");
  const [sequenceId, contactId, senderEmail] = ["sequenceId", "contactId", "senderEmail"].map((name) =>
    textOf(body, name),
  );
  if (contactId !== undefined) countPost(call, contactId);
  if (sequenceId === undefined) return invalid("Some required fields were not set: [sequenceId]");
  if (contactId === undefined) return invalid("Some required fields were not set: [contactId]");
  if (senderEmail === undefined) return invalid("Some required fields were not set: [senderEmail]");
  const sequence = user && visibleSequence(portal, sequenceId, user.userId);
  if (user === undefined || sequence === undefined) return missing(call, "sequence", sequenceId);
  const contact = portal.find(contactId);
  if (contact === undefined) return missing(call, "contact", contactId);
  return { user, sequence, contact, senderEmail, senderAliasAddress: textOf(body, "senderAliasAddress") };
}

/** Whether HubSpot says which of the two is missing is not published. */
function missing({ world }: ApiCall, what: "sequence" | "contact", id: string): Answer {
  switch (world.settings.openQuestions.enrollNotFound) {
    case "named":
      return notFound(`${what === "sequence" ? "Sequence" : "Contact"} ${id} was not found`);
    case "bare":
      return notFound("resource not found");
    case "invalid-id":
      return refuse(400, {
        category: "VALIDATION_ERROR",
        message: `The ${what} ID provided is invalid`,
        context: { [`${what}Id`]: [id] },
      });
    case "page":
      return page(404, "<html><body><h1>404 Not Found</h1></body></html>");
  }
}

function countPost({ portal }: ApiCall, contactId: string): void {
  const facts = portal.enrollments.factsOf(contactId);
  facts.posts += 1;
  if (portal.enrollments.activeOf(contactId) !== undefined) facts.whileActive += 1;
}

function problemWithSender(
  call: ApiCall,
  { user, senderEmail, senderAliasAddress }: EnrollRequest,
): Answer | undefined {
  const otherWords = `User ${user.userId} for Portal ${call.portal.portalId} has no connected inboxes`;
  if (!user.hasConnectedInbox) {
    const message = "The user has no connected email accounts";
    return refuseEnrollment(call, { code: NO_INBOX, message, otherWords });
  }
  if (senderEmail.toLowerCase() !== user.inboxAddress.toLowerCase()) {
    const message = `${senderEmail} is not a connected email account of the user`;
    return refuseEnrollment(call, { code: NO_INBOX, message, otherWords });
  }
  if (senderAliasAddress !== undefined && !user.aliases.includes(senderAliasAddress)) {
    const message = `${senderAliasAddress} is not an alias of the connected email account`;
    return refuseEnrollment(call, { code: "SequenceError.INVALID_ALIAS", message });
  }
  return undefined;
}

function problemWithContact(call: ApiCall, { contact }: EnrollRequest): Answer | undefined {
  if (call.portal.enrollments.activeOf(contact.id) !== undefined) {
    return refuseEnrollment(call, {
      code: "SequenceError.ALREADY_ENROLLED",
      message: `Contact ${contact.id} is already enrolled in a sequence`,
      otherWords: `${nameOf(contact)} is already actively enrolled`,
    });
  }
  if ((contact.properties["email"] ?? "") === "") {
    return refuseEnrollment(call, {
      code: "SequenceError.MISSING_EMAIL_ADDRESS",
      message: `Contact ${contact.id} does not have an email address`,
    });
  }
  return contact.suppression && refuseEnrollment(call, SUPPRESSED[contact.suppression]);
}

/** People choose their own names, so any word may appear in a sentence that contains one. */
function nameOf({ id, properties }: SimulatedContact): string {
  return [properties["firstname"], properties["lastname"]].filter(Boolean).join(" ") || `Contact ${id}`;
}

function problemWithLimit(call: ApiCall, { user }: EnrollRequest): Answer | undefined {
  const { world, portal, nowMs } = call;
  const limit = Math.min(
    user.dailyLimit ?? Number.POSITIVE_INFINITY,
    world.settings.enrollmentsPerInboxAndDay,
  );
  if (portal.enrollments.sentOn(portal.dayAt(nowMs), user.inboxAddress) < limit) return undefined;
  return refuseEnrollment(call, {
    code: "SequenceError.SEND_LIMIT_EXCEEDED",
    message: "The sender has reached the daily send limit for sequence enrollments",
    otherWords: `The daily email send limit of ${limit} has been reached`,
  });
}

function accept({ world, portal, nowMs }: ApiCall, order: EnrollRequest): Answer {
  const { user, sequence, contact } = order;
  const enrollment = portal.putInSequence({
    contactId: contact.id,
    sequenceId: sequence.id,
    sequenceName: sequence.name,
    userId: user.userId,
    senderEmail: order.senderEmail,
    senderAliasAddress: order.senderAliasAddress,
    toEmail: contact.properties["email"] ?? "",
    enrolledAtMs: nowMs,
  });
  portal.enrollments.factsOf(contact.id).accepted += 1;
  portal.enrollments.countSent(portal.dayAt(nowMs), user.inboxAddress);
  world.signals.announce("enrolled", {
    portalId: portal.portalId,
    contactId: contact.id,
    sequenceId: sequence.id,
  });
  const enrolledAt = new Date(nowMs).toISOString();
  return ok({ id: enrollment.id, toEmail: enrollment.toEmail, enrolledAt, updatedAt: enrolledAt });
}
