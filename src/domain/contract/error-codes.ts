/**
 * Why a contact was not enrolled: the stable codes of the `error_code` output. Workflows branch on them, so a code is
 * never renamed. Each has a label in the action's `executionRules` (app-config/) and a row in docs/errors.md; a test
 * compares the three.
 */
export const ERROR_CODES = [
  "NOT_CONNECTED",
  "PORTAL_PAUSED",
  "MISSING_SCOPES",
  "INVALID_INPUT",
  "CONTACT_NOT_FOUND",
  "CONTACT_HAS_NO_EMAIL",
  "SEQUENCE_NOT_FOUND",
  "OWNER_MISSING",
  "OWNER_INACTIVE",
  "SENDER_NOT_ALLOWED",
  "SENDER_NOT_PERMITTED",
  "INBOX_NOT_CONNECTED",
  "SENDER_LIMIT_REACHED",
  "NO_SENDER_AVAILABLE",
  "ALREADY_ENROLLED",
  "REPLACE_INCOMPLETE",
  "COOLDOWN_ACTIVE",
  "UNSUBSCRIBED",
  "BOUNCED",
  "BLOCKED",
  "HUBSPOT_UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "HUBSPOT_REJECTED",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The sentence an admin reads in `error_message`: what happened, and what to do about it. */
export const ERROR_SENTENCES: Readonly<Record<ErrorCode, string>> = {
  NOT_CONNECTED:
    "This HubSpot account is not connected to Sequence Enroller. Ask an admin to install the app again.",
  PORTAL_PAUSED: "Enrolling is paused for this account. Resume it on the app's settings page.",
  MISSING_SCOPES:
    "The app lacks a permission it needs. Ask an admin to install the app again and grant all permissions.",
  INVALID_INPUT:
    "The action is set up with a value that cannot be used. Open the workflow step and correct it.",
  CONTACT_NOT_FOUND: "HubSpot no longer has this contact. It may have been deleted or merged.",
  CONTACT_HAS_NO_EMAIL: "The contact has no email address. Add one, then enroll the contact again.",
  SEQUENCE_NOT_FOUND:
    "The sequence does not exist or the sender cannot see it. Choose another one, or share it with the sender.",
  OWNER_MISSING:
    "The contact has no owner to send from. Assign an owner, or choose another sender in the action.",
  OWNER_INACTIVE:
    "The contact's owner is deactivated or is not a person. Assign an active owner, or choose another sender.",
  SENDER_NOT_ALLOWED:
    "This user may not send by the app's sender list. Add the user on the settings page, or choose another sender.",
  SENDER_NOT_PERMITTED:
    "HubSpot does not let this user enroll contacts. Give the user a Sales or Service seat and permission to use sequences.",
  INBOX_NOT_CONNECTED:
    "The sender has no connected personal inbox. The user must connect one in HubSpot's settings.",
  SENDER_LIMIT_REACHED:
    "The sender has reached the daily send limit. Wait until tomorrow, or choose another sender.",
  NO_SENDER_AVAILABLE:
    "No sender is available. Set a default sender on the settings page, or choose one in the action.",
  ALREADY_ENROLLED: "The contact is already in a sequence. A contact can be in one sequence at a time.",
  REPLACE_INCOMPLETE:
    "The contact was being moved here from another sequence and was not enrolled, so it may be in no sequence now. Enroll it again.",
  COOLDOWN_ACTIVE: "The contact was in a sequence too recently for this action's cooldown.",
  UNSUBSCRIBED: "The contact has opted out of email, or has no legal basis for one-to-one email.",
  BOUNCED: "Email to this contact has bounced before, so HubSpot will not send to it.",
  BLOCKED: "HubSpot blocks email to this address or domain.",
  HUBSPOT_UNAVAILABLE: "HubSpot could not be reached for too long. Enroll the contact again later.",
  DEADLINE_EXCEEDED:
    "The contact could not be enrolled in time and was released. See the settings page for the cause.",
  CANCELLED: "An admin canceled this enrollment on the settings page.",
  HUBSPOT_REJECTED:
    "HubSpot refused the enrollment for a reason the app does not know. The settings page shows its words.",
};

/** The sentence of a code as stored; undefined for one this version does not know. */
export function sentenceOf(code: string): string | undefined {
  return Object.hasOwn(ERROR_SENTENCES, code) ? ERROR_SENTENCES[code as ErrorCode] : undefined;
}
