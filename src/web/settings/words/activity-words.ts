import type { AdminAction } from "#domain/history/admin-actions.js";
import { ERROR_CODES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { ExecutionKind } from "#domain/contract/execution.js";
import type { CandidateVia } from "#domain/contract/sender-choice.js";
import type { Format } from "./format.js";
import { OUTCOME_LABELS, type OutcomeName } from "#domain/history/shown-outcome.js";
import type { ActivityQuery, QueryField } from "#domain/history/activity-query.js";

export const KIND_LABELS: Readonly<Record<ExecutionKind, string>> = {
  ENROLL: "Enroll in sequence",
  CHECK_ENROLLMENT: "Check enrollment",
  WAIT_FOR_SEQUENCE_END: "Wait for sequence end",
  UNENROLL: "Unenroll from sequence",
};

/** What an attempt met last may be HubSpot's, ours or a wait: the problem itself says whose, the label must not. */
export const lastProblemWords = (problem: string): string => `Last problem: ${problem}`;

export const FIELD_LABELS: Readonly<Record<QueryField, string>> = {
  q: "Search",
  status: "Status",
  code: "Reason",
  kind: "Action",
  sequence: "Sequence",
  sender: "Sender",
  workflow: "Workflow",
  contact: "Contact",
  since: "Since",
  from: "From",
  to: "To",
  decided: "Decided since",
  enrolled: "Enrolled since",
  retries: "Retries",
};

export const SINCE_LABELS: Readonly<Record<string, string>> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "90d": "Last 90 days",
};

/** Each reason in few words; what happened and what to do about it stands in `ERROR_SENTENCES`. */
export const CODE_WORDS: Readonly<Record<ErrorCode, string>> = {
  NOT_CONNECTED: "Account not connected",
  PORTAL_PAUSED: "Enrolling paused",
  MISSING_SCOPES: "Permission missing",
  INVALID_INPUT: "Step set up with a wrong value",
  CONTACT_NOT_FOUND: "Contact not found",
  CONTACT_HAS_NO_EMAIL: "No email address",
  SEQUENCE_NOT_FOUND: "Sequence not found",
  OWNER_MISSING: "No owner",
  OWNER_INACTIVE: "Owner deactivated",
  SENDER_NOT_ALLOWED: "Sender not on the list",
  SENDER_NOT_PERMITTED: "Sender lacks a seat or permission",
  INBOX_NOT_CONNECTED: "No connected inbox",
  SENDER_LIMIT_REACHED: "Daily limit reached",
  NO_SENDER_AVAILABLE: "No sender available",
  ALREADY_ENROLLED: "Already in a sequence",
  REPLACE_INCOMPLETE: "Taken out of its sequence, not enrolled",
  COOLDOWN_ACTIVE: "In a sequence too recently",
  UNSUBSCRIBED: "Opted out of email",
  BOUNCED: "Email bounced",
  BLOCKED: "Blocked or suppressed",
  HUBSPOT_UNAVAILABLE: "HubSpot could not be reached",
  DEADLINE_EXCEEDED: "Not enrolled in time",
  CANCELLED: "Canceled by an admin",
  HUBSPOT_REJECTED: "Refused by HubSpot",
};

/** The reasons as a list to choose from: in words, with the code that workflows branch on. */
export const CODE_CHOICES = ERROR_CODES.map((code) => ({
  value: code,
  label: `${CODE_WORDS[code]} · ${code}`,
}));

export const RETRIES_LABELS: Readonly<Record<string, string>> = { without: "Left out" };

export const VIA_LABELS: Readonly<Record<CandidateVia, string>> = {
  contact_owner: "the contact's owner",
  contact_property: "a user property of the contact",
  specific_user: "chosen in the workflow's step",
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
    bulk: "Cancel all",
    explained:
      "Executions that still wait are ended: their workflows go on with the error code CANCELLED. What is being enrolled at this moment, and what has ended, stays as it is.",
    done: "canceled",
  },
  RETRY: {
    button: "Enroll again",
    bulk: "Enroll again",
    explained:
      "Contacts that were not enrolled are tried once more, outside of their workflow: those have moved on, and get no new outputs. HubSpot is asked first, and nobody who has been enrolled since is enrolled twice.",
    done: "to be enrolled again",
  },
  TRY_NOW: {
    button: "Try now",
    bulk: "Try now",
    explained:
      "Executions that wait for a later moment are looked at now. One that was told to wait for a date is tried before it.",
    done: "due now",
  },
};

/**
 * The filter as a person reads it; each condition once.
 */
export function describeQuery(given: ActivityQuery["given"], format?: Format): string {
  const parts = (Object.entries(given) as [QueryField, string][]).map(
    ([field, value]) => `${FIELD_LABELS[field]}: ${describeValue(field, value, format)}`,
  );
  return parts.length === 0 ? "All executions" : parts.join(" · ");
}

/** One condition's value as a person reads it. */
export function describeValue(field: QueryField, value: string, format?: Format): string {
  switch (field) {
    case "status":
      return OUTCOME_LABELS[value as OutcomeName];
    case "kind":
      return KIND_LABELS[value as ExecutionKind];
    case "code":
      return `${CODE_WORDS[value as ErrorCode]} (${value})`;
    case "retries":
      return (RETRIES_LABELS[value] ?? value).toLowerCase();
    case "since":
    case "decided":
    case "enrolled":
      return describeMoment(value, format);
    default:
      return value;
  }
}

/** `90d`, or a moment in ISO 8601. */
function describeMoment(value: string, format: Format | undefined): string {
  const relative = /^(\d+)([hd])$/.exec(value);
  if (relative !== null)
    return SINCE_LABELS[value] ?? `last ${relative[1]} ${relative[2] === "h" ? "hours" : "days"}`;
  return format === undefined ? value : format.dateTime(new Date(value));
}
