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

/**
 * What an admin reads about a reason: the fact, and what to do about it. If more is known, such as whose cap was used
 * up, that is said instead.
 */
const ERROR_WORDS: Readonly<Record<ErrorCode, readonly [fact: string, remedy: string]>> = {
  NOT_CONNECTED: ["Sequence Enroller isn't connected to this account.", "Ask an admin to reinstall it."],
  PORTAL_PAUSED: ["Enrollment is paused for this account.", "An admin can resume it in the app's settings."],
  MISSING_SCOPES: [
    "The app is missing a permission.",
    "Ask an admin to reinstall it and grant all permissions.",
  ],
  INVALID_INPUT: ["This action has an invalid setting.", "Edit the action in the workflow."],
  CONTACT_NOT_FOUND: ["HubSpot no longer has this contact.", "It may have been deleted or merged."],
  CONTACT_HAS_NO_EMAIL: ["The contact has no email address.", "Add one, then retry the contact."],
  SEQUENCE_NOT_FOUND: [
    "The sequence was deleted or isn't shared with the sender.",
    "Share it, or choose another one.",
  ],
  OWNER_MISSING: ["The contact has no owner.", "Assign one, or change the sender in the action."],
  OWNER_INACTIVE: [
    "The contact's owner is inactive or isn't a user.",
    "Assign an active owner, or change the sender.",
  ],
  SENDER_NOT_ALLOWED: [
    "This user isn't approved to send.",
    "Approve them under Senders, or choose another sender.",
  ],
  SENDER_NOT_PERMITTED: [
    "This user can't enroll contacts in HubSpot.",
    "Assign a Sales or Service seat and sequences permission.",
  ],
  INBOX_NOT_CONNECTED: [
    "No inbox is connected for the sender.",
    "Connect it in HubSpot, or set the right inbox address under Senders.",
  ],
  SENDER_LIMIT_REACHED: [
    "The sender has reached their daily limit.",
    "Add a fallback sender, or raise the cap under Senders.",
  ],
  NO_SENDER_AVAILABLE: [
    "No sender was available.",
    "Check the rotation or the default sender in the app's settings.",
  ],
  ALREADY_ENROLLED: ["The contact is already in a sequence.", "HubSpot allows one at a time."],
  REPLACE_INCOMPLETE: [
    "The contact was being moved here from another sequence and wasn't enrolled, so it may be in no sequence now.",
    "Retry the contact.",
  ],
  COOLDOWN_ACTIVE: ["The contact is in cooldown.", "It was in a sequence too recently for this action."],
  UNSUBSCRIBED: [
    "The contact has opted out of email, or has no legal basis for one-to-one email.",
    "HubSpot won't send to it.",
  ],
  BOUNCED: ["Email to this contact has bounced before, so HubSpot won't send to it.", "Correct the address."],
  BLOCKED: ["HubSpot blocks this address, or it's on your blocked list.", "Check the preset's blocked list."],
  HUBSPOT_UNAVAILABLE: ["We couldn't reach HubSpot in time.", "Retry the contact later."],
  DEADLINE_EXCEEDED: [
    "The contact wasn't enrolled before the deadline.",
    "See the contact's activity for the cause.",
  ],
  CANCELLED: ["An admin canceled this enrollment.", "Retry the contact to enroll it after all."],
  HUBSPOT_REJECTED: ["HubSpot rejected the enrollment.", "See HubSpot's message in the contact's activity."],
};

/** The sentences an admin reads in `error_message`: what happened, and what to do about it. */
export const ERROR_SENTENCES = Object.fromEntries(
  Object.entries(ERROR_WORDS).map(([code, [fact, remedy]]) => [code, `${fact} ${remedy}`]),
) as Readonly<Record<ErrorCode, string>>;

/** The exact fact, and what to do about the code. */
export function sentenceWith(code: ErrorCode, fact: string): string {
  return `${fact} ${ERROR_WORDS[code][1]}`;
}

/** What happened, without what to do about it. */
export function factOf(code: ErrorCode): string {
  return ERROR_WORDS[code][0];
}

/** The sentence of a code as stored; undefined for one this version does not know. */
export function sentenceOf(code: string): string | undefined {
  return Object.hasOwn(ERROR_SENTENCES, code) ? ERROR_SENTENCES[code as ErrorCode] : undefined;
}
