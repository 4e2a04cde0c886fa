/**
 * What the enroll action and HubSpot's workflow editor have agreed on, in HubSpot's spelling. The same names stand in
 * `app-config/src/app/workflow-actions/enroll-hsmeta.json` (a test holds the two together) and in customers' workflows:
 * a name or value once published is never renamed or taken away.
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
 * `portal_default` leaves it to the preset: the one named, else the portal's default.
 */
export const SENDER_MODES = ["contact_owner", "specific_user", "rotation", "portal_default"] as const;
export type SenderMode = (typeof SENDER_MODES)[number];

/**
 * What a contact that is in a sequence already gets: `skip` goes on as a success, `fail` as a failure, `wait` holds it
 * until that sequence ends. Empty, or LEFT_TO_PRESET, leaves it to the preset.
 */
export const IF_ALREADY_ENROLLED = ["skip", "fail", "wait"] as const;
export type IfAlreadyEnrolled = (typeof IF_ALREADY_ENROLLED)[number];

/**
 * First entry of each list that may be left empty: HubSpot's editor may choose the first one by itself, and then nothing but
 * the preset should decide.
 */
export const LEFT_TO_PRESET = "portal_default" satisfies SenderMode;
export const MAY_LEAVE_TO_PRESET: readonly EnrollInput[] = ["if_already_enrolled", "preset_id"];

/** What later steps of the workflow can branch on; always strings, empty where unknown. */
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

/** Values of `enrollment_status`. `SKIPPED`: not tried, by the customer's own choice; `FAILED`: tried or impossible. */
export const ENROLLMENT_STATUSES = ["ENROLLED", "ALREADY_ENROLLED", "SKIPPED", "FAILED"] as const;
export type EnrollmentStatus = (typeof ENROLLMENT_STATUSES)[number];

/** Contact properties that HubSpot sends along in `object.properties`, a snapshot of the moment of the call. */
export const REQUESTED_PROPERTIES = [
  "email",
  "hubspot_owner_id",
  "hs_email_optout",
  "hs_sequences_is_enrolled",
  "hs_sequences_enrolled_count",
  "hs_latest_sequence_enrolled",
  "hs_latest_sequence_enrolled_date",
] as const;
