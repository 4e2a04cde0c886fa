import type { AdminAction } from "#domain/history/admin-actions.js";
import { ERROR_CODES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { ExecutionKind } from "#domain/contract/execution.js";
import type { CandidateVia } from "#domain/contract/sender-choice.js";
import { numbered, type Format } from "./format.js";
import { OUTCOME_LABELS, type OutcomeName } from "#domain/history/shown-outcome.js";
import type { ActivityQuery, QueryField } from "#domain/history/activity-query.js";

export const KIND_LABELS: Readonly<Record<ExecutionKind, string>> = {
  ENROLL: "Enroll in sequence",
  CHECK_ENROLLMENT: "Check sequence enrollment",
  WAIT_FOR_SEQUENCE_END: "Wait for sequence end",
  UNENROLL: "Unenroll from sequence",
};

const KIND_WORDS: Readonly<Record<string, string>> = {
  ...KIND_LABELS,
  OTHER: "Checks and waits",
  all: "All",
};

/** What an attempt met last may be HubSpot's, ours or a wait: the problem itself says whose, the label must not. */
export const lastProblemWords = (problem: string): string => `Last problem: ${problem}`;

export const FIELD_LABELS: Readonly<Record<QueryField, string>> = {
  q: "Search",
  status: "Result",
  code: "Reason",
  kind: "Action",
  sequence: "Sequence",
  sender: "Sender",
  skipped: "Skipped sender",
  workflow: "Workflow",
  contact: "Contact",
  ids: "Selected",
  since: "Received",
  from: "From",
  to: "To",
  decided: "Completed after",
  decided_before: "Completed before",
  enrolled: "Enrolled after",
  retries: "Retries",
};

export const SINCE_LABELS: Readonly<Record<string, string>> = {
  today: "Today",
  yesterday: "Yesterday",
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "90d": "Last 90 days",
};

/** Whose sender is nobody, in the filter as in the reports. */
export const NO_SENDER_WORDS = "No sender";

/** Each reason in few words; what happened and what to do about it stands in `ERROR_SENTENCES`. */
export const CODE_WORDS: Readonly<Record<ErrorCode, string>> = {
  NOT_CONNECTED: "Account not connected",
  PORTAL_PAUSED: "Enrollment paused",
  MISSING_SCOPES: "Permission missing",
  INVALID_INPUT: "Invalid value in the action",
  CONTACT_NOT_FOUND: "Contact not found",
  CONTACT_HAS_NO_EMAIL: "No email address",
  SEQUENCE_NOT_FOUND: "Sequence not found",
  OWNER_MISSING: "No owner",
  OWNER_INACTIVE: "Owner is inactive",
  SENDER_NOT_ALLOWED: "Sender not approved",
  SENDER_NOT_PERMITTED: "Sender has no seat or permission",
  INBOX_NOT_CONNECTED: "Inbox not connected",
  SENDER_LIMIT_REACHED: "Daily cap reached",
  NO_SENDER_AVAILABLE: "No sender available",
  ALREADY_ENROLLED: "Already in a sequence",
  REPLACE_INCOMPLETE: "Taken out of its sequence, not enrolled",
  COOLDOWN_ACTIVE: "In cooldown",
  UNSUBSCRIBED: "Opted out",
  BOUNCED: "Email bounced",
  BLOCKED: "On a blocked list",
  HUBSPOT_UNAVAILABLE: "HubSpot unavailable",
  DEADLINE_EXCEEDED: "Deadline passed",
  CANCELLED: "Canceled by an admin",
  HUBSPOT_REJECTED: "Rejected by HubSpot",
};

/** The reasons as a list to choose from, in words. */
export const CODE_CHOICES = ERROR_CODES.map((code) => ({
  value: code,
  label: CODE_WORDS[code],
}));

export const RETRIES_LABELS: Readonly<Record<string, string>> = { without: "Exclude", only: "Only" };

export const VIA_LABELS: Readonly<Record<CandidateVia, string>> = {
  contact_owner: "contact owner",
  contact_property: "a user property of the contact",
  specific_user: "chosen in the workflow action",
  rotation: "next in the rotation",
  kept_sender: "sent to this contact before",
  fallback_rotation: "next in the fallback rotation",
  default_sender: "the default sender",
};

/** An action in the words of its button, and of the question before it. */
export const ACTION_WORDS: Readonly<
  Record<AdminAction, { button: string; bulk: string; explained: string; done: string }>
> = {
  CANCEL: {
    button: "Cancel",
    bulk: "Cancel waiting",
    explained:
      "Stops waiting. The workflow continues with error code CANCELLED. Contacts being enrolled right now aren't affected.",
    done: "canceled",
  },
  RETRY: {
    button: "Retry",
    bulk: "Retry failed",
    explained:
      "Tries to enroll the contact again. The workflow has already continued and won't see the result. We check HubSpot first, so no one is enrolled twice.",
    done: "retried",
  },
  TRY_NOW: {
    button: "Enroll now",
    bulk: "Enroll now",
    explained: "Tries right away, even if the action says to wait until a later date.",
    done: "tried now",
  },
};

/** What the ids in a filter are called, by field and id. */
export type FilterNames = Readonly<Partial<Record<QueryField, ReadonlyMap<string, string>>>>;

/** The filter as a person reads it; each condition once. */
export function describeQuery(
  given: ActivityQuery["given"],
  format?: Format,
  names: FilterNames = {},
): string {
  const parts = (Object.entries(given) as [QueryField, string][]).map(
    ([field, value]) =>
      `${FIELD_LABELS[field]}: ${names[field]?.get(value) ?? describeValue(field, value, format)}`,
  );
  return parts.length === 0 ? "All activity" : parts.join(" · ");
}

/** One condition's value as a person reads it. */
export function describeValue(field: QueryField, value: string, format?: Format): string {
  switch (field) {
    case "status":
      return OUTCOME_LABELS[value as OutcomeName];
    case "kind":
      return KIND_WORDS[value] ?? value;
    case "code":
      return CODE_WORDS[value as ErrorCode];
    case "ids":
      return numbered(value.split(",").length, "contact");
    case "retries":
      return (RETRIES_LABELS[value] ?? value).toLowerCase();
    case "since":
    case "to":
    case "decided":
    case "decided_before":
    case "enrolled":
      return describeMoment(value, format);
    default:
      return value;
  }
}

/** `90d`, or a moment in ISO 8601. */
function describeMoment(value: string, format: Format | undefined): string {
  if (SINCE_LABELS[value] !== undefined) return SINCE_LABELS[value];
  const relative = /^(\d+)([hd])$/.exec(value);
  if (relative !== null) return `last ${relative[1]} ${relative[2] === "h" ? "hours" : "days"}`;
  const isMoment = value.includes("T");
  return format === undefined || !isMoment ? value : format.dateTime(new Date(value));
}
