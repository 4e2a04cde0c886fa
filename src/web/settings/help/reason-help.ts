import type { ErrorCode } from "#domain/contract/error-codes.js";

/** What helps against a reason, beyond the sentence that every contact shows. */
export interface ReasonHelp {
  /** How it comes about. */
  readonly why: string;
  /** What to do, one step each, the surest first. */
  readonly steps: readonly string[];
  /** Whether the app tries again by itself before it gives up. */
  readonly retried: boolean;
}

export const REASON_HELP: Readonly<Record<ErrorCode, ReasonHelp>> = {
  NOT_CONNECTED: {
    why: "The app was uninstalled in HubSpot, or someone disconnected the account here.",
    steps: ["Reconnect the account. Your settings are kept for 30 days.", "Then retry the contacts."],
    retried: false,
  },
  PORTAL_PAUSED: {
    why: "An admin paused enrollment, and the contact's deadline passed before it was resumed.",
    steps: ["Resume enrollment.", "Then retry the contacts that were released meanwhile."],
    retried: true,
  },
  MISSING_SCOPES: {
    why: "HubSpot no longer grants the app a permission that it needs, usually after the app asked for a new one.",
    steps: ["Reconnect the account and grant all permissions."],
    retried: true,
  },
  INVALID_INPUT: {
    why: "A field of the workflow action is empty or holds a value that can't be used, such as a token that this contact doesn't have.",
    steps: ["Open the workflow and edit the action.", "Then send the contact through the workflow again."],
    retried: false,
  },
  CONTACT_NOT_FOUND: {
    why: "The contact was deleted or merged into another one before its turn came.",
    steps: ["If it was merged, the contact that remains can be enrolled."],
    retried: false,
  },
  CONTACT_HAS_NO_EMAIL: {
    why: "A sequence sends email, and this contact has no address.",
    steps: ["Add an email address in HubSpot.", "Then retry the contact."],
    retried: false,
  },
  SEQUENCE_NOT_FOUND: {
    why: "The sequence was deleted, or the sender isn't allowed to see it: sequences can be private or shared with a team.",
    steps: ["Share the sequence with the sender in HubSpot.", "Or choose another sequence in the action."],
    retried: false,
  },
  OWNER_MISSING: {
    why: "The action sends from the contact's owner, and the contact had none when it reached the action.",
    steps: [
      "Assign owners earlier in the workflow, and leave HubSpot a minute before this action.",
      "Or add a fallback to the preset: a rotation or the default sender.",
    ],
    retried: false,
  },
  OWNER_INACTIVE: {
    why: "The owner was deactivated in HubSpot, or is a queue and not a person.",
    steps: ["Assign an active owner.", "Or add a fallback to the preset."],
    retried: false,
  },
  SENDER_NOT_ALLOWED: {
    why: "An admin blocked this user, or only approved users can send and this one isn't approved.",
    steps: ["Approve the user under Senders.", "Or choose another sender, or add a fallback."],
    retried: false,
  },
  SENDER_NOT_PERMITTED: {
    why: "HubSpot doesn't let this user enroll contacts: there is no Sales or Service seat, or no access to sequences.",
    steps: [
      "Assign a seat and the permission in HubSpot.",
      "Then select “Try again now” on the sender's page; otherwise we try again once an hour.",
    ],
    retried: false,
  },
  INBOX_NOT_CONNECTED: {
    why: "HubSpot has no personal inbox of the sender under the address that we use. Team inboxes don't count.",
    steps: [
      "If the inbox has another address, enter it under “Inbox address” on the sender's page.",
      "Otherwise ask the sender to connect it: Settings, General, Email.",
      "Then select “Try again now” on the sender's page; otherwise we try again once an hour.",
    ],
    retried: false,
  },
  SENDER_LIMIT_REACHED: {
    why: "The sender's daily cap is used up: yours, which you set under Senders, or HubSpot's own limit.",
    steps: [
      "Raise the cap on the sender's page.",
      "Or spread contacts over more senders with a rotation, or add a fallback.",
      "Or let contacts wait for a free place: the preset says so.",
    ],
    retried: true,
  },
  NO_SENDER_AVAILABLE: {
    why: "No one could send: no default sender is set, or everyone in the rotation was away, at their cap or refused.",
    steps: ["Set a default sender.", "Or add senders to the rotation, or change their hours."],
    retried: true,
  },
  ALREADY_ENROLLED: {
    why: "HubSpot allows a contact in one sequence at a time.",
    steps: [
      "Nothing, if that is fine.",
      "Or let the action wait for the end, or replace the other sequence.",
    ],
    retried: false,
  },
  REPLACE_INCOMPLETE: {
    why: "The contact was taken out of its sequence to be enrolled here, and that didn't work: it may be in no sequence now.",
    steps: ["Mend what the contact's activity names as the cause.", "Then retry the contact."],
    retried: true,
  },
  COOLDOWN_ACTIVE: {
    why: "Your preset leaves contacts alone for some days after a sequence.",
    steps: ["Nothing: this is your own rule.", "Or shorten the cooldown in the preset."],
    retried: false,
  },
  UNSUBSCRIBED: {
    why: "The contact opted out of email, or your account needs a legal basis for email and the contact has none.",
    steps: ["Respect the opt-out.", "If there is a legal basis, record it on the contact."],
    retried: false,
  },
  BOUNCED: {
    why: "An email to this address couldn't be delivered before, so HubSpot doesn't send to it.",
    steps: ["Correct the address in HubSpot.", "Then retry the contact."],
    retried: false,
  },
  BLOCKED: {
    why: "The address is on the blocked list of your preset, or HubSpot itself blocks the address or its domain.",
    steps: ["Nothing, if you block it on purpose.", "Or change the preset, or remove the block in HubSpot."],
    retried: false,
  },
  HUBSPOT_UNAVAILABLE: {
    why: "HubSpot didn't answer for so long that the contact's deadline passed.",
    steps: ["Check HubSpot's status page.", "Then retry the contact: we look first whether it was enrolled."],
    retried: true,
  },
  DEADLINE_EXCEEDED: {
    why: "The contact waited for a cap, for sending hours or for a date until its deadline had passed.",
    steps: ["See in the contact's activity what it waited for.", "Then retry the contact."],
    retried: true,
  },
  CANCELLED: {
    why: "An admin canceled the contact while it waited.",
    steps: ["Retry the contact to enroll it after all."],
    retried: false,
  },
  HUBSPOT_REJECTED: {
    why: "HubSpot refused for a reason that the app doesn't know.",
    steps: ["Read HubSpot's own message in the contact's activity.", "Then retry the contact."],
    retried: false,
  },
};
