import { END_OUTCOMES } from "./enrollment-end.js";

/** What the wait action and HubSpot's workflow editor agree on; see enroll-contract.ts for the rules. */

export const WAIT_FOR_SEQUENCE_END_ROUTE = "/hubspot/actions/wait-for-sequence-end";

export const WAIT_INPUTS = ["max_wait_days"] as const;

/** Applies if the workflow's step leaves `max_wait_days` empty. */
export const DEFAULT_MAX_WAIT_DAYS = 14;

/** Always strings, empty if unknown. */
export const WAIT_OUTPUTS = [
  "outcome",
  "ended_at",
  "days_enrolled",
  "sequence_id",
  "error_code",
  "error_message",
] as const;

/**
 * How a sequence ended. `UNENROLLED`: left early for a reason other than a reply; `NOT_ENROLLED`: the contact was in no
 * sequence to begin with; `TIMED_OUT`: still in it after `max_wait_days`.
 */
export const WAIT_OUTCOMES = [...END_OUTCOMES, "TIMED_OUT", "NOT_ENROLLED"] as const;
export type WaitOutcome = (typeof WAIT_OUTCOMES)[number];

/** Contact properties that tell how a sequence ended (docs/hubspot.md §7.1). */
export const SEQUENCE_PROPERTIES = [
  "hs_sequences_is_enrolled",
  "hs_latest_sequence_enrolled",
  "hs_latest_sequence_enrolled_date",
  "hs_latest_sequence_ended_date",
  "hs_latest_sequence_finished_date",
  "hs_latest_sequence_unenrolled_date",
  "hs_sales_email_last_replied",
] as const;
