import { describe, expect, test } from "@jest/globals";
import { refusalCode } from "../../src/executions/refusal.js";

const refusal = { httpStatus: 400, category: undefined, subCategory: undefined, message: "" };

describe("what a refused enrollment means", () => {
  test.each([
    [
      "no inbox",
      { subCategory: "SequenceStandardFriendlyError.PUBLIC_ENROLL_NO_CONNECTED_EMAILS" },
      "INBOX_NOT_CONNECTED",
    ],
    ["opted out", { subCategory: "SequenceError.UNSUBSCRIBED" }, "UNSUBSCRIBED"],
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
    ["bounced", { subCategory: "RECIPIENT_PREVIOUSLY_BOUNCED_ON_PORTAL" }, "BOUNCED"],
    ["blocked", { subCategory: "BLOCKED_DOMAIN" }, "BLOCKED"],
    ["over the limit", { subCategory: "SequenceError.SEND_LIMIT_EXCEEDED" }, "SENDER_LIMIT_REACHED"],
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
    ["something new", { subCategory: "SequenceError.NEW", message: "who knows" }, "HUBSPOT_REJECTED"],
    ["a bare 404: the caller has to look", { httpStatus: 404 }, undefined],
  ] as const)("%s", (_what, parts, code) => {
    expect(refusalCode({ ...refusal, ...parts })).toBe(code);
  });
});
