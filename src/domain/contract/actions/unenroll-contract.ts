/** What the unenroll action and HubSpot's workflow editor agree on; see enroll-contract.ts for the rules. */

export const UNENROLL_ROUTE = "/hubspot/actions/unenroll";

/** Always strings, empty if unknown. The sequence is the one that the contact was in when it came to the step. */
export const UNENROLL_OUTPUTS = [
  "outcome",
  "sequence_id",
  "sequence_name",
  "enrolled_at",
  "error_code",
  "error_message",
] as const;

/**
 * What happened to the contact's enrollment. `NOT_ENROLLED`: the contact was in no sequence to begin with;
 * `NOT_SUPPORTED`: the account has not set unenrolling up, or its helper workflow cannot be used; `TIMED_OUT`: the
 * helper workflow did not end the enrollment in time.
 */
export const UNENROLL_OUTCOMES = ["UNENROLLED", "NOT_ENROLLED", "NOT_SUPPORTED", "TIMED_OUT"] as const;
export type UnenrollOutcome = (typeof UNENROLL_OUTCOMES)[number];

/** An enrollment that is to be ended, as HubSpot showed it. */
export interface EnrollmentToEnd {
  readonly sequenceId: string;
  /** Empty: unknown. */
  readonly sequenceName: string;
  readonly enrolledAt: Date | undefined;
}
