import type { Source } from "#domain/contract/execution.js";
import { ENROLLMENT_STATE, type EnrollmentState } from "./enrollment-state.js";

/** Which enrollments of a portal; what is undefined does not filter. All bounds in time are exclusive. */
export interface EnrollmentFilter {
  readonly contactId?: string | undefined;
  /** In upper or lower case. */
  readonly email?: string | undefined;
  readonly sequenceId?: string | undefined;
  readonly senderUserId?: string | undefined;
  readonly status?: readonly EnrollmentState[] | undefined;
  /** Its code. */
  readonly reason?: string | undefined;
  readonly workflowId?: string | undefined;
  readonly importId?: string | undefined;
  readonly source?: Source | undefined;
  readonly reference?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  readonly updatedAfter?: Date | undefined;
}

/** SQL on `executions e` for each part of a filter, `$` standing for its value. */
const CONDITIONS: Readonly<Record<keyof EnrollmentFilter, string>> = {
  contactId: "e.contact_id = $",
  email: "lower(e.contact_email) = lower($)",
  sequenceId: "e.sequence_id = $",
  senderUserId: "e.sender_user_id = $::bigint",
  status: `${ENROLLMENT_STATE} = ANY ($::text[])`,
  reason: "e.error_code = $",
  workflowId: "e.workflow_id = $",
  importId: "e.import_id = $::bigint",
  source: "e.source = $",
  reference: "e.reference = $",
  createdAfter: "e.accepted_at > $::timestamptz",
  createdBefore: "e.accepted_at < $::timestamptz",
  updatedAfter: "e.updated_at > $::timestamptz",
};

/**
 * The filter as an SQL condition. Values go into `values`, never into the text.
 *
 * @param values parameters so far; the condition's are appended.
 */
export function enrollmentCondition(filter: EnrollmentFilter, values: unknown[]): string {
  const parts = Object.entries(filter as Readonly<Record<string, unknown>>)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const condition = CONDITIONS[name as keyof EnrollmentFilter];
      return condition.replaceAll("$", `$${values.push(value)}`);
    });
  return ["e.kind = 'ENROLL'", ...parts].join(" AND ");
}
