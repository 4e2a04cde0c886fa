import { describe, expect, test } from "@jest/globals";
import { refusalCode, type Refusal } from "#domain/executions/refusal.js";

const codeOf = (refusal: Partial<Refusal>) =>
  refusalCode({ httpStatus: 400, category: undefined, codes: [], message: "", ...refusal });
const NOT_RECOGNIZED = "HUBSPOT_REJECTED";

describe("a refusal by its error name", () => {
  test.each([
    // A wrong alias is the request's fault: its sender has an inbox.
    ["ALIAS_NOT_CONNECTED", "HUBSPOT_REJECTED"],
    ["MISSING_SCOPES", "MISSING_SCOPES"],
    ["NO_CONNECTED_EMAILS", "INBOX_NOT_CONNECTED"],
    ["INBOX_NOT_CONNECTED", "INBOX_NOT_CONNECTED"],
    ["EMAIL_DISCONNECTED", "INBOX_NOT_CONNECTED"],
    ["NO_INBOX", "INBOX_NOT_CONNECTED"],
    ["CONTACT_OPTED_OUT", "UNSUBSCRIBED"],
    ["NO_LEGAL_BASIS", "UNSUBSCRIBED"],
    ["ALREADY_ENROLLED", "ALREADY_ENROLLED"],
    ["CONTACT_ALREADY_ACTIVELY_ENROLLED", "ALREADY_ENROLLED"],
    ["MARKED_AS_SPAM", "BOUNCED"],
    ["DOMAIN_BLOCKED", "BLOCKED"],
    ["LIMIT_REACHED", "SENDER_LIMIT_REACHED"],
    ["DAILY_LIMIT_HIT", "SENDER_LIMIT_REACHED"],
    ["LIMIT_WAS_REACHED", "SENDER_LIMIT_REACHED"],
    ["LIMIT_HAS_BEEN_EXCEEDED", "SENDER_LIMIT_REACHED"],
    ["CONTACT_MISSING_EMAIL", "CONTACT_HAS_NO_EMAIL"],
    ["NO_EMAIL", "CONTACT_HAS_NO_EMAIL"],
    ["SEQUENCE_NOT_FOUND", "SEQUENCE_NOT_FOUND"],
    ["SEQUENCE_DOES_NOT_EXIST", "SEQUENCE_NOT_FOUND"],
    ["INVALID_SEQUENCE_ID", "SEQUENCE_NOT_FOUND"],
    ["CONTACT_NOT_FOUND", "CONTACT_NOT_FOUND"],
    ["CONTACT_DELETED", "CONTACT_NOT_FOUND"],
    ["INVALID_CONTACT_ID", "CONTACT_NOT_FOUND"],
    ["sequence-error.contact-not-found", "CONTACT_NOT_FOUND"],
    ["SequenceError.ContactNotFound", "CONTACT_NOT_FOUND"],
  ])("%s is %s", (name, code) => {
    expect(codeOf({ codes: [name] })).toBe(code);
    expect(codeOf({ codes: ["SequenceError.NEW", name] })).toBe(code);
  });

  test("goes before the words beside it", () => {
    expect(codeOf({ codes: ["BOUNCED"], message: "The contact is already enrolled" })).toBe("BOUNCED");
  });
});

describe("a refusal by its words", () => {
  test.each([
    ["The request is missing scopes", "MISSING_SCOPES"],
    ["The contact is already enrolled", "ALREADY_ENROLLED"],
    ["The contact is already in fact enrolled", "ALREADY_ENROLLED"],
    ["The contact is actively enrolled", "ALREADY_ENROLLED"],
    ["The contact is currently enrolled", "ALREADY_ENROLLED"],
    ["The contact is already in a sequence", "ALREADY_ENROLLED"],
    ["The contact is already active in another sequence", "ALREADY_ENROLLED"],
    ["Contact 7 has already been seen and is enrolled in none", NOT_RECOGNIZED],
    ["The address is not a connected account", "INBOX_NOT_CONNECTED"],
    ["The address is not connected", "INBOX_NOT_CONNECTED"],
    ["Use a connected personal inbox", "INBOX_NOT_CONNECTED"],
    ["A connected email is needed", "INBOX_NOT_CONNECTED"],
    ["There is no inbox", "INBOX_NOT_CONNECTED"],
    ["The inbox of user 7 was disconnected", "INBOX_NOT_CONNECTED"],
    ["Disconnected users have an inbox", NOT_RECOGNIZED],
    ["The contact opted out", "UNSUBSCRIBED"],
    ["There is no legal basis", "UNSUBSCRIBED"],
    ["The last email bounced", "BOUNCED"],
    ["The domain is blocked", "BLOCKED"],
    // About the request, not about the sender.
    ["The rate limit was exceeded", NOT_RECOGNIZED],
    ["The request limit was reached", NOT_RECOGNIZED],
    ["The requests limit was reached", NOT_RECOGNIZED],
    ["The subject is over the character limit", NOT_RECOGNIZED],
    ["The subject is over the characters limit", NOT_RECOGNIZED],
    ["The limit was hit", "SENDER_LIMIT_REACHED"],
    ["The user exceeds the sending limit", "SENDER_LIMIT_REACHED"],
    ["They exceed their sending limit", "SENDER_LIMIT_REACHED"],
    ["The limit is 500, which is fine", NOT_RECOGNIZED],
    // With the hyphen that our own texts do without.
    ["The contact has no e\u002dmail", "CONTACT_HAS_NO_EMAIL"],
    ["A contact without email", "CONTACT_HAS_NO_EMAIL"],
    ["The email has no contact", NOT_RECOGNIZED],
    ["The sequence was not found", "SEQUENCE_NOT_FOUND"],
    ["The sequence could not be found", "SEQUENCE_NOT_FOUND"],
    ["The sequence does not exist", "SEQUENCE_NOT_FOUND"],
    ["The sequence doesn't exist", "SEQUENCE_NOT_FOUND"],
    ["The sequence no longer exists", "SEQUENCE_NOT_FOUND"],
    ["Both sequences no longer exist", "SEQUENCE_NOT_FOUND"],
    ["The sequence is not visible", "SEQUENCE_NOT_FOUND"],
    ["The sequence was deleted", "SEQUENCE_NOT_FOUND"],
    ["The sequence ID 7 is not valid", "SEQUENCE_NOT_FOUND"],
    ["Invalid sequence", "SEQUENCE_NOT_FOUND"],
    ["Cannot find sequence 12", "SEQUENCE_NOT_FOUND"],
    ["Can't find sequence 12", "SEQUENCE_NOT_FOUND"],
    ["Could not find sequence 12", "SEQUENCE_NOT_FOUND"],
    ["Couldn't find sequence 12", "SEQUENCE_NOT_FOUND"],
    ["No such sequence", "SEQUENCE_NOT_FOUND"],
    ["The contact was not found", "CONTACT_NOT_FOUND"],
    ["Unable to find contact 7", "CONTACT_NOT_FOUND"],
    ["The sequence has contacts", NOT_RECOGNIZED],
  ])("%j is %s", (message, code) => {
    expect(codeOf({ message })).toBe(code);
    expect(codeOf({ message: "Fehler", details: [message.toUpperCase()] })).toBe(code);
  });

  test("says nothing by the name of a record, in either kind of quotes", () => {
    expect(codeOf({ message: 'The name "Bounced", or "Blocked", is taken' })).toBe(NOT_RECOGNIZED);
    expect(codeOf({ message: "The name “Bounced”, or “Blocked”, is taken" })).toBe(NOT_RECOGNIZED);
    expect(codeOf({ message: "Sequence “Bounced and blocked” was not found" })).toBe("SEQUENCE_NOT_FOUND");
  });
});

describe("an error name within a sentence", () => {
  test.each([
    "SequenceError.UNSUBSCRIBED",
    "  SequenceError.UNSUBSCRIBED",
    "SequenceError.UNSUBSCRIBED : see the log",
    "(SequenceError.UNSUBSCRIBED: ask the contact)",
    "[SequenceError.UNSUBSCRIBED] Try another contact",
    "No enrollment (SequenceError.UNSUBSCRIBED) . ",
    "No enrollment - SequenceError.UNSUBSCRIBED . ",
    "No enrollment–SequenceError.UNSUBSCRIBED",
    "No enrollment, code:SequenceError.UNSUBSCRIBED for contact 7",
    "No enrollment, error : SequenceError.UNSUBSCRIBED on contact 7",
    "It failed with SequenceError.UNSUBSCRIBED.",
    "See docs.hubspot.com: com.hubspot.SequenceError.UNSUBSCRIBED",
    "It failed with SequenceError.UNSUBSCRIBED, and a sentence that goes on and on follows it to no end",
  ])("is one in %j", (message) => {
    expect(codeOf({ message })).toBe("UNSUBSCRIBED");
  });

  test.each([
    "Contact SequenceError.UNSUBSCRIBED: cannot be enrolled",
    "SequenceError.UNSUBSCRIBED was no reason, it says",
    "Contact (SequenceError.UNSUBSCRIBED by name)",
    "Contact (SequenceError.UNSUBSCRIBED) cannot be enrolled",
    "(Contact SequenceError.UNSUBSCRIBED)",
    "Note: contact SequenceError.UNSUBSCRIBED",
    "Note: SequenceError.UNSUBSCRIBED cannot be enrolled",
    "Cannot enroll contact SequenceError.UNSUBSCRIBED",
    "The reason is contact SequenceError.UNSUBSCRIBED for now",
    "It failed with SequenceError.UNSUBSCRIBED as its name, for now",
  ])("is a record's name in %j", (message) => {
    expect(codeOf({ message })).toBe(NOT_RECOGNIZED);
  });

  test("goes before the words if the sentence begins with it, and after them otherwise", () => {
    expect(codeOf({ message: "SequenceError.BOUNCED: already enrolled" })).toBe("BOUNCED");
    expect(codeOf({ message: "  SequenceError.BOUNCED: already enrolled" })).toBe("BOUNCED");
    expect(codeOf({ message: "Already enrolled: failed with SequenceError.BOUNCED." })).toBe(
      "ALREADY_ENROLLED",
    );
  });

  test("is the reason of a 403, which by its words is always the sender's", () => {
    const told = (message: string) => codeOf({ httpStatus: 403, message });
    expect(told("No enrollment: SequenceError.UNSUBSCRIBED")).toBe("UNSUBSCRIBED");
    expect(told("The contact has unsubscribed")).toBe("SENDER_NOT_PERMITTED");
    expect(told("This app lacks required scopes")).toBe("MISSING_SCOPES");
    expect(codeOf({ httpStatus: 404, message: "The contact has unsubscribed" })).toBe("UNSUBSCRIBED");
  });
});
