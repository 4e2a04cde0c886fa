import { invalid, notFound, ok, type Answer } from "../server/answer.js";
import { isRecord, textOf } from "../server/body.js";
import type { SimulatedContact, SimulatedSequence, SimulatedUser, Suppression } from "../portal/model.js";
import { actingUser, visibleSequence } from "./acting-user.js";
import type { ApiCall } from "./call.js";

interface EnrollOrder {
  readonly user: SimulatedUser;
  readonly sequence: SimulatedSequence;
  readonly contact: SimulatedContact;
  readonly senderEmail: string;
  readonly senderAliasAddress: string | undefined;
}

const NO_INBOX = "SequenceStandardFriendlyError.PUBLIC_ENROLL_NO_CONNECTED_EMAILS";

/** `SequenceError` names of the sub-categories; those beside UNSUBSCRIBED are only likely spellings (dossier §5.6). */
const SUPPRESSED: Readonly<Record<Suppression, readonly [subCategory: string, message: string]>> = {
  unsubscribed: ["SequenceError.UNSUBSCRIBED", "The contact has unsubscribed from emails"],
  bounced: ["SequenceError.BOUNCED", "Emails to the contact have bounced"],
  blocked: ["SequenceError.BLOCKED_ADDRESS", "The contact's email address is blocked"],
};

/** Enrolls one contact, or says why not. Has no idempotency key: a second POST is a second enrollment or a refusal. */
export function enroll(call: ApiCall): Answer {
  const acting = actingUser(call);
  const order = readOrder(call, "user" in acting ? acting.user : undefined);
  if ("refusal" in acting) return acting.refusal;
  if ("status" in order) return order;
  return (
    problemWithSender(order) ??
    problemWithContact(call, order) ??
    problemWithLimit(call, order) ??
    accept(call, order)
  );
}

function readOrder(call: ApiCall, user: SimulatedUser | undefined): EnrollOrder | Answer {
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
  if (user === undefined || sequence === undefined)
    return missing(call, `Sequence ${sequenceId} was not found`);
  const contact = portal.find(contactId);
  if (contact === undefined) return missing(call, `Contact ${contactId} was not found`);
  return { user, sequence, contact, senderEmail, senderAliasAddress: textOf(body, "senderAliasAddress") };
}

/** Whether HubSpot says which of the two is missing is not published. */
function missing({ world }: ApiCall, message: string): Answer {
  return notFound(world.settings.openQuestions.enrollNotFound === "named" ? message : "resource not found");
}

function countPost({ portal }: ApiCall, contactId: string): void {
  const facts = portal.enrollments.factsOf(contactId);
  facts.posts += 1;
  if (portal.enrollments.activeOf(contactId) !== undefined) facts.whileActive += 1;
}

function problemWithSender({ user, senderEmail, senderAliasAddress }: EnrollOrder): Answer | undefined {
  if (!user.hasConnectedInbox) return invalid("The user has no connected email accounts", NO_INBOX);
  if (senderEmail.toLowerCase() !== user.inboxAddress.toLowerCase()) {
    return invalid(`${senderEmail} is not a connected email account of the user`, NO_INBOX);
  }
  if (senderAliasAddress !== undefined && !user.aliases.includes(senderAliasAddress)) {
    return invalid(
      `${senderAliasAddress} is not an alias of the connected email account`,
      "SequenceError.INVALID_ALIAS",
    );
  }
  return undefined;
}

function problemWithContact({ portal }: ApiCall, { contact }: EnrollOrder): Answer | undefined {
  if (portal.enrollments.activeOf(contact.id) !== undefined) {
    return invalid(`Contact ${contact.id} is already enrolled in a sequence`);
  }
  if ((contact.properties["email"] ?? "") === "") {
    return invalid(
      `Contact ${contact.id} does not have an email address`,
      "SequenceError.MISSING_EMAIL_ADDRESS",
    );
  }
  if (contact.suppression === undefined) return undefined;
  const [subCategory, message] = SUPPRESSED[contact.suppression];
  return invalid(message, subCategory);
}

function problemWithLimit({ world, portal, nowMs }: ApiCall, { user }: EnrollOrder): Answer | undefined {
  const limit = Math.min(
    user.dailyLimit ?? Number.POSITIVE_INFINITY,
    world.settings.enrollmentsPerInboxAndDay,
  );
  if (portal.enrollments.sentOn(portal.dayAt(nowMs), user.inboxAddress) < limit) return undefined;
  return invalid(
    "The sender has reached the daily send limit for sequence enrollments",
    "SequenceError.SEND_LIMIT_EXCEEDED",
  );
}

function accept({ world, portal, nowMs }: ApiCall, order: EnrollOrder): Answer {
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
