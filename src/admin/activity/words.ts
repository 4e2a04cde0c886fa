import type { AdminAction } from "../../executions/admin-actions.js";
import type { ExecutionKind } from "../../executions/execution.js";
import type { CandidateVia } from "../../policy/sender-choice.js";
import { OUTCOME_LABELS, type Outcome } from "./outcome.js";
import type { ActivityQuery, QueryField } from "./activity-query.js";

export const KIND_LABELS: Readonly<Record<ExecutionKind, string>> = {
  ENROLL: "Enroll in sequence",
  CHECK_ENROLLMENT: "Check enrollment",
  WAIT_FOR_SEQUENCE_END: "Wait for sequence end",
};

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
};

export const SINCE_LABELS: Readonly<Record<string, string>> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};

export const VIA_LABELS: Readonly<Record<CandidateVia, string>> = {
  contact_owner: "the contact's owner",
  contact_property: "a user property of the contact",
  specific_user: "chosen in the workflow's step",
  rotation: "next in the rotation",
  kept_sender: "sent to this contact before",
  fallback_rotation: "next in the fallback rotation",
  default_sender: "the default sender",
};

/** An action in the words of its button, of the question before it, and of the entry in the audit. */
export const ACTION_WORDS: Readonly<
  Record<AdminAction, { button: string; bulk: string; explained: string; done: string; audit: string }>
> = {
  CANCEL: {
    button: "Cancel",
    bulk: "Cancel all",
    explained:
      "Executions that still wait are ended: their workflows go on with the error code CANCELLED. What is being enrolled at this moment, and what has ended, stays as it is.",
    done: "cancelled",
    audit: "CANCELLED",
  },
  RETRY: {
    button: "Enroll again",
    bulk: "Enroll again",
    explained:
      "Contacts that were not enrolled are tried once more, outside of their workflow: those have moved on, and get no new outputs. HubSpot is asked first, and nobody who has been enrolled since is enrolled twice.",
    done: "to be enrolled again",
    audit: "RETRIED",
  },
  TRY_NOW: {
    button: "Try now",
    bulk: "Try now",
    explained:
      "Executions that wait for a later moment are looked at now. One that was told to wait for a date is tried before it.",
    done: "due now",
    audit: "TRIED_NOW",
  },
};

/** The filter as a person reads it; each condition once. */
export function describeQuery(given: ActivityQuery["given"]): string {
  const parts = (Object.entries(given) as [QueryField, string][]).map(
    ([field, value]) => `${FIELD_LABELS[field]}: ${describeValue(field, value)}`,
  );
  return parts.length === 0 ? "All executions" : parts.join(" · ");
}

function describeValue(field: QueryField, value: string): string {
  if (field === "status") return OUTCOME_LABELS[value as Outcome];
  if (field === "kind") return KIND_LABELS[value as ExecutionKind];
  if (field === "since") return SINCE_LABELS[value] ?? value;
  return value;
}
