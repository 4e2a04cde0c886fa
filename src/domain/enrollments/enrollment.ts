import { unnamed, type Person } from "#domain/directory/people.js";
import { ERASED_CONTACT, UNKNOWN_CONTACT, type Source } from "#domain/contract/execution.js";
import type { EndOutcome, EnrollmentEnd } from "#domain/contract/enrollment-end.js";
import type { ExecutionId, UserId } from "#platform/ids/branded-ids.js";
import { ENROLLMENT_STATE, type EnrollmentState } from "./enrollment-state.js";

/** An enrollment as the API and outgoing webhooks show it: JSON, times in ISO 8601 (UTC, milliseconds). */
export interface Enrollment {
  readonly id: string;
  readonly source: Source;
  readonly status: EnrollmentState;
  /** Why it was refused, or a stable code and a sentence that go with its success. */
  readonly reason: { readonly code: string; readonly message: string } | null;
  /** Both null: the contact was deleted. Only the id is null: it was named by its address, and has not been found yet. */
  readonly contact: { readonly id: string | null; readonly email: string | null };
  readonly sequence: { readonly id: string; readonly name: string | null } | null;
  /** For a queued one: who it waits for. */
  readonly sender: { readonly userId: string; readonly name: string; readonly email: string | null } | null;
  readonly workflowId: string | null;
  readonly importId: string | null;
  readonly reference: string | null;
  readonly hubspotEnrollmentId: string | null;
  readonly createdAt: string;
  /** When the first attempt began. */
  readonly startedAt: string | null;
  readonly updatedAt: string;
  readonly enrolledAt: string | null;
  /** For a waiting one: it is not tried before this time. */
  readonly dueAt: string | null;
  readonly ended: { readonly at: string; readonly outcome: EndOutcome } | null;
}

export interface EnrollmentRow {
  id: string;
  source: Source;
  status: EnrollmentState;
  error_code: string | null;
  error_message: string | null;
  contact_id: string;
  contact_email: string | null;
  sequence_id: string | null;
  sequence_name: string | null;
  sender_user_id: string | null;
  sender_email: string | null;
  workflow_id: string | null;
  import_id: string | null;
  reference: string | null;
  enrollment_id: string | null;
  accepted_at: Date;
  started_at: Date | null;
  updated_at: Date;
  enrolled_at: Date | null;
  due_at: Date;
}

/**
 * SQL: columns of `EnrollmentRow`, from `executions e`. The first attempt of a retry is its family's, which is older
 * than the retry.
 */
export const ENROLLMENT_COLUMNS = `
  e.id, e.source, ${ENROLLMENT_STATE} AS status, e.error_code, e.error_message, e.contact_id, e.contact_email, e.sequence_id,
  coalesce(e.sequence_name, (
    SELECT s.name FROM sequences s WHERE s.portal_id = e.portal_id AND s.sequence_id = e.sequence_id)) AS sequence_name,
  e.sender_user_id, e.sender_email, e.workflow_id, e.import_id, e.reference, e.enrollment_id, e.accepted_at, e.updated_at,
  CASE WHEN e.attempts > 0 OR e.decided_at IS NOT NULL THEN greatest(e.first_attempt_at, e.accepted_at) END AS started_at,
  e.enrolled_at, e.due_at`;

/** What else belongs to some rows. */
export interface EnrollmentContext {
  /** What people are called, by user id. */
  readonly people: ReadonlyMap<UserId, Pick<Person, "label" | "email">>;
  /** How enrollments ended, by their id. */
  readonly ends: ReadonlyMap<ExecutionId, EnrollmentEnd>;
}

export function toEnrollment(row: EnrollmentRow, { people, ends }: EnrollmentContext): Enrollment {
  const end = ends.get(BigInt(row.id));
  const id = row.contact_id === UNKNOWN_CONTACT ? null : row.contact_id;
  return {
    id: row.id,
    source: row.source,
    status: row.status,
    reason: reasonOf(row),
    contact: row.contact_id === ERASED_CONTACT ? { id: null, email: null } : { id, email: row.contact_email },
    sequence: row.sequence_id === null ? null : { id: row.sequence_id, name: row.sequence_name },
    sender: senderOf(row, people),
    workflowId: row.workflow_id,
    importId: row.import_id,
    reference: row.reference,
    hubspotEnrollmentId: row.enrollment_id,
    createdAt: row.accepted_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    updatedAt: row.updated_at.toISOString(),
    enrolledAt: row.enrolled_at?.toISOString() ?? null,
    dueAt: row.status === "WAITING" ? row.due_at.toISOString() : null,
    ended: end === undefined ? null : { at: end.at.toISOString(), outcome: end.outcome },
  };
}

function reasonOf({ error_code, error_message }: EnrollmentRow): Enrollment["reason"] {
  return error_code === null || error_code === "" ? null : { code: error_code, message: error_message ?? "" };
}

function senderOf(
  { sender_user_id, sender_email }: EnrollmentRow,
  people: EnrollmentContext["people"],
): Enrollment["sender"] {
  if (sender_user_id === null) return null;
  const person = people.get(BigInt(sender_user_id));
  return {
    userId: sender_user_id,
    name: person?.label ?? unnamed(sender_user_id),
    email: sender_email ?? person?.email ?? null,
  };
}
