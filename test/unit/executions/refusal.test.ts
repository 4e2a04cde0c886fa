import { describe, expect, test } from "@jest/globals";
import { readErrorBody } from "#platform/hubspot/wire/error-body.js";
import { refusalCode } from "#domain/executions/refusal.js";

const refusal = { httpStatus: 400, category: undefined, codes: [], message: "" };

describe("what a refused enrollment means", () => {
  test.each([
    [
      "no inbox",
      { codes: ["SequenceStandardFriendlyError.PUBLIC_ENROLL_NO_CONNECTED_EMAILS"] },
      "INBOX_NOT_CONNECTED",
    ],
    ["opted out", { codes: ["SequenceError.UNSUBSCRIBED"] }, "UNSUBSCRIBED"],
    [
      "already in a sequence, by words",
      { message: "Contact is already enrolled in a sequence" },
      "ALREADY_ENROLLED",
    ],
    ["no seat", { httpStatus: 403, message: "permission denied" }, "SENDER_NOT_PERMITTED"],
    [
      "a scope that is missing, by category",
      { httpStatus: 403, category: "MISSING_SCOPES" },
      "MISSING_SCOPES",
    ],
    [
      "a scope that is missing, by words",
      { httpStatus: 403, message: "This app hasn't been granted all required scopes" },
      "MISSING_SCOPES",
    ],
    ["bounced", { codes: ["RECIPIENT_PREVIOUSLY_BOUNCED_ON_PORTAL"] }, "BOUNCED"],
    ["blocked", { codes: ["BLOCKED_DOMAIN"] }, "BLOCKED"],
    ["over the limit", { codes: ["SequenceError.SEND_LIMIT_EXCEEDED"] }, "SENDER_LIMIT_REACHED"],
    [
      "over the daily limit, by words",
      { message: "You have reached your daily limit" },
      "SENDER_LIMIT_REACHED",
    ],
    [
      "over it, by other words",
      { message: "The user is over their email send limit" },
      "SENDER_LIMIT_REACHED",
    ],
    ["no inbox, by words", { message: "The user's inbox is not connected" }, "INBOX_NOT_CONNECTED"],
    [
      "no address, by words",
      { message: "The contact does not have an email address" },
      "CONTACT_HAS_NO_EMAIL",
    ],
    [
      "an alias the inbox does not have, by words",
      { message: "a@b.example is not an alias of the connected email account" },
      "HUBSPOT_REJECTED",
    ],
    ["something new", { codes: ["SequenceError.NEW"], message: "who knows" }, "HUBSPOT_REJECTED"],
    ["a bare 404: the caller has to look", { httpStatus: 404 }, undefined],
  ] as const)("%s", (_what, parts, code) => {
    expect(refusalCode({ ...refusal, ...parts })).toBe(code);
  });

  test.each([
    ["The daily limit of 1000 has been reached", "SENDER_LIMIT_REACHED"],
    ["The daily email send limit for this user was reached", "SENDER_LIMIT_REACHED"],
    ["Contact 7 is already actively enrolled in a sequence", "ALREADY_ENROLLED"],
    ["The sequence ID provided is invalid", "SEQUENCE_NOT_FOUND"],
    ["Unable to find sequence 12", "SEQUENCE_NOT_FOUND"],
    ["User 7 for Portal 3 has no connected inboxes", "INBOX_NOT_CONNECTED"],
    ["The subject exceeds the length limit", "HUBSPOT_REJECTED"],
    ["SequenceError.SEND_LIMIT_EXCEEDED", "SENDER_LIMIT_REACHED"],
    ["SequenceError.ALREADY_ENROLLED: see the log", "ALREADY_ENROLLED"],
    ["Cannot enroll contact: com.hubspot.SequenceError.UNSUBSCRIBED", "UNSUBSCRIBED"],
    ["Enrollment failed with SequenceError.BOUNCED for contact 7.", "BOUNCED"],
    ["Enrollment was refused (SequenceStandardFriendlyError.NO_CONNECTED_EMAILS)", "INBOX_NOT_CONNECTED"],
    ["Contact SequenceError.UNSUBSCRIBED is already enrolled", "ALREADY_ENROLLED"],
    ["Contact SequenceError.UNSUBSCRIBED cannot be enrolled", "HUBSPOT_REJECTED"],
    ['Contact "SequenceError.UNSUBSCRIBED" cannot be enrolled', "HUBSPOT_REJECTED"],
    ['Sequence "Bounced and blocked" was not found', "SEQUENCE_NOT_FOUND"],
  ] as const)("is read from the words %j", (message, code) => {
    expect(refusalCode({ ...refusal, message })).toBe(code);
  });
});

/** Every name of an error in every place. */
describe("what HubSpot calls an error is found", () => {
  const NAMES = {
    "SequenceError.UNSUBSCRIBED": "UNSUBSCRIBED",
    "SequenceError.SEND_LIMIT_EXCEEDED": "SENDER_LIMIT_REACHED",
    "SequenceError.ALREADY_ENROLLED": "ALREADY_ENROLLED",
    "SequenceError.BOUNCED": "BOUNCED",
    "SequenceError.BLOCKED_DOMAIN": "BLOCKED",
    "SequenceError.MISSING_EMAIL_ADDRESS": "CONTACT_HAS_NO_EMAIL",
    "SequenceError.SendLimitExceeded": "SENDER_LIMIT_REACHED",
    "SequenceStandardFriendlyError.PUBLIC_ENROLL_NO_CONNECTED_EMAILS": "INBOX_NOT_CONNECTED",
  };
  const PLACES: Readonly<Record<string, (name: string) => Record<string, unknown>>> = {
    subCategory: (name) => ({ subCategory: name }),
    errorType: (name) => ({ errorType: name }),
    "errors[].subCategory": (name) => ({ errors: [null, "odd", { subCategory: name, code: 5 }] }),
    "errors[].errorType": (name) => ({ errors: [{ errorType: name, message: null }] }),
    "errors[].code": (name) => ({ errors: [{ code: name, subCategory: {} }] }),
    "errors[].context": (name) => ({ errors: [{ context: { errorCode: [name] } }] }),
    context: (name) => ({ context: { subCategory: [name] } }),
    message: (name) => ({ message: name }),
    "errors[].message": (name) => ({ errors: [{ message: `Enrollment failed: ${name}` }] }),
    "a list of errors": (name) => ({ errors: [name] }),
    "errors by field": (name) => ({ errors: { contactId: [{ code: name }] } }),
    "errors of errors": (name) => ({ errors: [{ errors: [{ subCategory: name }] }] }),
    "error.code": (name) => ({ error: { code: name } }),
    "data.error.reason": (name) => ({ data: { error: { reason: name } } }),
    "details[].reason": (name) => ({ details: [{ reason: name }] }),
    "validationResults[].error": (name) => ({ validationResults: [{ isValid: false, error: name }] }),
    "status, under a translated message": (name) => ({ status: name, message: "Das geht nicht." }),
  };
  const ODD = [null, {}, 7, [], true];

  const codeOf = (body: unknown): string | undefined => {
    const { message = "", ...error } = readErrorBody(body);
    return refusalCode({ ...error, httpStatus: 400, message });
  };

  test.each(Object.keys(PLACES))("in %s, whatever the other members hold", (place) => {
    for (const [name, code] of Object.entries(NAMES)) {
      for (const odd of ODD) {
        const others = {
          subCategory: odd,
          errorType: odd,
          errors: odd,
          context: odd,
          category: odd,
          message: odd,
        };
        expect([name, codeOf({ ...others, ...PLACES[place]?.(name) })]).toEqual([name, code]);
      }
    }
  });

  test.each<[string, unknown]>([
    ["a list instead of an object", [{ message: "The contact has unsubscribed." }]],
    ["a message that is a list", { message: ["The contact has unsubscribed."] }],
    ["another name of the message", { errorMessage: "The contact has unsubscribed." }],
    ["the words of a problem detail", { title: "Bad Request", detail: "The contact has unsubscribed." }],
    ["a wrapped error", { error: { code: 400, message: "The contact has unsubscribed." } }],
    ["words among the errors", { message: "Fehler", errors: ["The contact has unsubscribed."] }],
  ])("or in words, in %s", (_what, body) => {
    expect(codeOf(body)).toBe("UNSUBSCRIBED");
  });

  test.each<[string, unknown]>([
    ["a list", { category: ["MISSING_SCOPES"] }],
    ["one of the errors", { errors: [{ category: "MISSING_SCOPES" }] }],
    ["a wrapper", { error: { category: "missing_scopes" } }],
  ])("a category stands for the scopes of the app, not for the sender, in %s", (_what, body) => {
    const { message = "", ...error } = readErrorBody({ message: "Zugriff verweigert", ...(body as object) });
    expect(refusalCode({ ...error, httpStatus: 403, message })).toBe("MISSING_SCOPES");
  });

  test("and not among the data of a record", () => {
    const context = { name: ["SequenceError.UNSUBSCRIBED"], contactName: "SequenceError.BLOCKED", id: ["7"] };
    expect(codeOf({ context, message: "no", errors: [{ in: "SequenceError.BOUNCED", context }] })).toBe(
      "HUBSPOT_REJECTED",
    );
  });
});
