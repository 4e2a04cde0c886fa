/**
 * What the enroll action and HubSpot's workflow editor agree on, in HubSpot's spelling. The same names are in
 * `app-config/src/app/workflow-actions/enroll-hsmeta.json` (a test compares the two) and in customers' workflows, so a
 * published name or value is never renamed or removed.
 */

/** Where HubSpot posts, below `PUBLIC_URL`. */
export const ENROLL_ROUTE = "/hubspot/actions/enroll";
export const SEQUENCE_OPTIONS_ROUTE = "/hubspot/options/sequences";
export const SENDER_OPTIONS_ROUTE = "/hubspot/options/senders";
export const ROTATION_OPTIONS_ROUTE = "/hubspot/options/rotations";
export const PRESET_OPTIONS_ROUTE = "/hubspot/options/presets";

/** What a workflow builder fills in; arrives as strings in `inputFields`, and again in `fields`. */
export const ENROLL_INPUTS = [
  "sequence_id",
  "sender_mode",
  "sender_user_id",
  "rotation_id",
  "sender_alias",
  "preset_id",
  "if_already_enrolled",
  "cooldown_days",
  "not_before",
] as const;
export type EnrollInput = (typeof ENROLL_INPUTS)[number];

/** The inputs without which HubSpot does not let the step be saved. */
export const REQUIRED_ENROLL_INPUTS = [
  "sequence_id",
  "sender_mode",
] as const satisfies readonly EnrollInput[];

/**
 * Whose inbox the sequence is sent from. `specific_user` needs `sender_user_id`, `rotation` needs `rotation_id`;
 * `portal_default` leaves it to the preset: the one named, otherwise the portal's default.
 */
export const SENDER_MODES = ["contact_owner", "specific_user", "rotation", "portal_default"] as const;
export type SenderMode = (typeof SENDER_MODES)[number];

/**
 * What happens to a contact that is already in a sequence: `skip` continues as a success, `fail` as a failure, `wait`
 * holds it until that sequence ends, `replace` takes it out of that sequence and enrolls it then, in accounts that have
 * set unenrolling up. Empty or LEFT_TO_PRESET leaves the choice to the preset.
 */
export const IF_ALREADY_ENROLLED = ["skip", "fail", "wait", "replace"] as const;
export type IfAlreadyEnrolled = (typeof IF_ALREADY_ENROLLED)[number];

/** Longest cooldown of a step or a preset. */
export const MAX_COOLDOWN_DAYS = 3_650;

/** Characters, more than any email address has (RFC 5321). */
export const LONGEST_ADDRESS = 320;

/**
 * First entry of each list that may be left empty: HubSpot's editor may preselect the first one, and then the preset
 * should decide.
 */
export const LEFT_TO_PRESET = "portal_default" satisfies SenderMode;
export const MAY_LEAVE_TO_PRESET: readonly EnrollInput[] = ["if_already_enrolled", "preset_id"];

/** What later steps of the workflow can branch on; always strings, empty if unknown. */
export const ENROLL_OUTPUTS = [
  "enrollment_status",
  "error_code",
  "error_message",
  "enrollment_id",
  "enrolled_at",
  "sequence_id",
  "sequence_name",
  "sender_user_id",
  "sender_email",
] as const;

/**
 * Values of `enrollment_status`. `SKIPPED`: not tried because the customer's policy says so; `FAILED`: tried without
 * success, or impossible.
 */
export const ENROLLMENT_STATUSES = ["ENROLLED", "ALREADY_ENROLLED", "SKIPPED", "FAILED"] as const;
export type EnrollmentStatus = (typeof ENROLLMENT_STATUSES)[number];

/** What people know a contact by: requested by every action for the settings site, and needed for nothing else. */
export const NAME_PROPERTIES = ["firstname", "lastname", "company"] as const;

/** Contact properties that the work needs; HubSpot sends them in `object.properties`, as they are at the time of the call. */
export const REQUESTED_PROPERTIES = [
  "email",
  "hubspot_owner_id",
  "hs_email_optout",
  "hs_sequences_is_enrolled",
  "hs_sequences_enrolled_count",
  "hs_latest_sequence_enrolled",
  "hs_latest_sequence_enrolled_date",
] as const;
