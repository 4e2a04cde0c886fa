import { contactName } from "#domain/contract/actions/contact-name.js";
import { flowOf } from "#domain/flows/flow-names.js";
import { peopleOf } from "#domain/directory/people.js";
import { ERASED_CONTACT, UNKNOWN_CONTACT, type ExecutionKind } from "#domain/contract/execution.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { outcomeOf, type OutcomeName } from "./shown-outcome.js";

/** An execution as a line of the list. */
export interface ExecutionItem {
  readonly id: ExecutionId;
  readonly kind: ExecutionKind;
  readonly acceptedAt: Date;
  readonly contactId: string;
  /** First and last name as HubSpot sent them with a call; null if no call of the contact brought any. */
  readonly contactName: string | null;
  readonly contactEmail: string | null;
  /** As the call named it: a flow id, or HubSpot's old number of the workflow. */
  readonly workflowId: string | null;
  /** Null if the workflow is not known, or has no name. */
  readonly workflowName: string | null;
  /** Its id in HubSpot's editor; null if it is not known, or was deleted. */
  readonly flowId: string | null;
  readonly sequenceId: string | null;
  /** Name, or the id if the name is not known. */
  readonly sequence: string | null;
  readonly senderUserId: string | null;
  readonly senderName: string | null;
  readonly senderEmail: string | null;
  readonly outcome: OutcomeName;
  /** What an action other than “Enroll in sequence” answered: a WaitOutcome, or whether the contact is enrolled. */
  readonly answer: string | null;
  readonly state: string;
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** Why the last attempt did not succeed: in HubSpot's own words if there are any. */
  readonly lastProblem: string | null;
  readonly enrolledAt: Date | null;
  readonly decidedAt: Date | null;
  readonly completedAt: Date | null;
  /** The day the action names as the earliest; null if it names none. */
  readonly notBefore: Date | null;
  /** The execution this one retries for an admin. */
  readonly retryOf: ExecutionId | null;
  /** The last retry of this one. */
  readonly retry: { readonly id: ExecutionId; readonly outcome: OutcomeName; readonly at: Date } | null;
}

export interface ItemRow {
  id: string;
  kind: ExecutionKind;
  accepted_at: Date;
  contact_id: string;
  contact_name: string | null;
  contact_email: string | null;
  known: { name: string | null; email: string | null } | null;
  not_before: string | null;
  workflow_id: string | null;
  flow: { name: string | null; flow_id: string; is_listed: boolean } | null;
  sequence_id: string | null;
  sequence: string | null;
  sender_user_id: string | null;
  sender_name: string | null;
  sender_email: string | null;
  state: string;
  attempts: number;
  enrollment_status: string | null;
  answer: string | null;
  error_code: string | null;
  error_message: string | null;
  last_problem: string | null;
  enrolled_at: Date | null;
  decided_at: Date | null;
  completed_at: Date | null;
  retry_of: string | null;
  retry: { id: string; status: string | null; is_decided: boolean; at: string } | null;
}

/** Calls of one contact that are looked at for its name and address. */
const CALLS_LOOKED_AT = 50;

/**
 * Who the contact is by its other calls: an admin's retry, and what is asked for outside of a workflow, carry no name.
 * Nobody's and everyone's ids are no contact's.
 */
const KNOWN = `
  CASE WHEN page.contact_id NOT IN ('${ERASED_CONTACT}', '${UNKNOWN_CONTACT}') AND (page.contact_email IS NULL OR page.retry_of IS NOT NULL) THEN (
    SELECT json_build_object('name', max(${contactName("call")}), 'email', max(call.contact_email)) FROM (
      SELECT request, contact_email FROM executions
       WHERE portal_id = page.portal_id AND contact_id = page.contact_id LIMIT ${CALLS_LOOKED_AT}
    ) AS call
  ) END`;

/** Columns of `ItemRow`, from a relation `page` with the columns of `executions`. */
export const EXECUTION_COLUMNS = `
  page.id, page.kind, page.accepted_at, page.contact_id, page.contact_email, page.workflow_id, page.sequence_id,
  page.sender_user_id, page.sender_email, page.state, page.attempts, page.enrollment_status, page.error_code,
  page.error_message, page.last_problem, page.enrolled_at, page.decided_at, page.completed_at, page.retry_of,
  page.request ->> 'notBefore' AS not_before, ${contactName("page")} AS contact_name, (${KNOWN}) AS known,
  coalesce(page.sequence_name, (
    SELECT s.name FROM sequences s
     WHERE s.portal_id = page.portal_id AND s.sequence_id = coalesce(page.sequence_id, page.outputs ->> 'sequence_id')
  ), page.sequence_id) AS sequence,
  (SELECT to_json(flow) FROM (${flowOf("page.workflow_id", "page.portal_id")}) AS flow) AS flow,
  CASE WHEN page.decided_at IS NOT NULL THEN coalesce(page.outputs ->> 'outcome', page.outputs ->> 'is_enrolled') END AS answer,
  (SELECT name FROM (${peopleOf("user_id = page.sender_user_id", "page.portal_id")}) AS person) AS sender_name,
  (SELECT json_build_object('id', r.id::text, 'status', r.enrollment_status, 'is_decided', r.decided_at IS NOT NULL, 'at', r.accepted_at)
     FROM executions r WHERE r.portal_id = page.portal_id AND r.retry_of = page.id ORDER BY r.id DESC LIMIT 1) AS retry`;

export function toItem(row: ItemRow): ExecutionItem {
  const { retry } = row;
  return {
    id: BigInt(row.id),
    kind: row.kind,
    acceptedAt: row.accepted_at,
    contactId: row.contact_id,
    contactName: row.contact_name ?? row.known?.name ?? null,
    contactEmail: row.contact_email ?? row.known?.email ?? null,
    workflowId: row.workflow_id,
    workflowName: row.flow?.name ?? null,
    flowId: row.flow?.is_listed === true ? row.flow.flow_id : null,
    sequenceId: row.sequence_id,
    sequence: row.sequence,
    senderUserId: row.sender_user_id,
    senderName: row.sender_name,
    senderEmail: row.sender_email,
    outcome: outcomeOf(row.enrollment_status, row.decided_at !== null),
    answer: row.answer,
    state: row.state,
    attempts: row.attempts,
    errorCode: orNull(row.error_code),
    errorMessage: orNull(row.error_message),
    lastProblem: orNull(row.last_problem),
    enrolledAt: row.enrolled_at,
    decidedAt: row.decided_at,
    completedAt: row.completed_at,
    notBefore: row.not_before === null ? null : new Date(row.not_before),
    retryOf: row.retry_of === null ? null : BigInt(row.retry_of),
    retry:
      retry === null
        ? null
        : {
            id: BigInt(retry.id),
            outcome: outcomeOf(retry.status, retry.is_decided),
            at: new Date(retry.at),
          },
  };
}

export function orNull(text: string | null): string | null {
  return text === "" ? null : text;
}
