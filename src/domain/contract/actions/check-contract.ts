/** What the check action and HubSpot's workflow editor agree on; see enroll-contract.ts for the rules. */

export const CHECK_ENROLLMENT_ROUTE = "/hubspot/actions/check-enrollment";

/** Always strings, empty if unknown; `is_enrolled` is `true` or `false`, `days_enrolled` whole days so far. */
export const CHECK_OUTPUTS = [
  "is_enrolled",
  "sequence_id",
  "sequence_name",
  "enrolled_at",
  "enrolled_by",
  "days_enrolled",
  "error_code",
  "error_message",
] as const;
