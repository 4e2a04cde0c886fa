/**
 * Where an enrollment is, as the API tells it:
 *
 *   QUEUED   waits its turn
 *   WAITING  waits for a sender's cap or window, for a date, or for the end of the contact's sequence
 *   SENDING  being enrolled, or HubSpot's answer was lost and it is found out what happened
 *
 * and, once decided: ENROLLED, ALREADY_ENROLLED, SKIPPED, FAILED, CANCELLED.
 */
export const ENROLLMENT_STATES = [
  "QUEUED",
  "WAITING",
  "SENDING",
  "ENROLLED",
  "ALREADY_ENROLLED",
  "SKIPPED",
  "FAILED",
  "CANCELLED",
] as const;
export type EnrollmentState = (typeof ENROLLMENT_STATES)[number];

/** Those of what is not decided yet. */
export const UNDECIDED_STATES: readonly EnrollmentState[] = ["QUEUED", "WAITING", "SENDING"];

/** A shorter postponement is the pause after a fault: it waits its turn. */
const HICCUP = "interval '1 second'";

/**
 * SQL: the state of a row of `executions e` whose kind is ENROLL. It follows from the row alone, never from the clock:
 * otherwise it would change without a change of `updated_at`, and a program that syncs would miss it. So what waited
 * stays WAITING until it is claimed.
 *
 * A retry begins UNCERTAIN, without an attempt of its own: it waits its turn.
 */
export const ENROLLMENT_STATE = `CASE
  WHEN e.decided_at IS NOT NULL AND e.error_code = 'CANCELLED' THEN 'CANCELLED'
  WHEN e.decided_at IS NOT NULL THEN coalesce(e.enrollment_status, 'FAILED')
  WHEN e.state = 'WATCHING' THEN 'WAITING'
  WHEN e.state = 'QUEUED' AND e.due_at > e.updated_at + ${HICCUP}
       AND (e.request ? 'notBefore' OR e.sender_choice -> 'chosen' = 'null'::jsonb) THEN 'WAITING'
  WHEN e.state = 'QUEUED' OR (e.state = 'UNCERTAIN' AND e.attempts = 0) THEN 'QUEUED'
  ELSE 'SENDING' END`;
