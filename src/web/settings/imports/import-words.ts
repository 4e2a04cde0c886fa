import type { ImportField } from "#domain/imports/file/guess-mapping.js";
import type { ImportCounts, ImportState } from "#domain/imports/import.js";

/** What the pages call each state, and the look of its badge. */
export const IMPORT_STATE_WORDS: Readonly<Record<ImportState, { label: string; tone: string }>> = {
  READING: { label: "Reading", tone: "waiting" },
  UPLOADED: { label: "Needs setup", tone: "" },
  CHECKING: { label: "Testing", tone: "waiting" },
  CHECKED: { label: "Tested, not started", tone: "already-enrolled" },
  RUNNING: { label: "Running", tone: "waiting" },
  PAUSED: { label: "Paused", tone: "skipped" },
  DONE: { label: "Done", tone: "enrolled" },
  CANCELLED: { label: "Canceled", tone: "" },
};

/** What a column can say, in the order of the form. */
export const FIELD_WORDS: Readonly<Record<ImportField, string>> = {
  email: "Email address",
  contactId: "Contact record ID",
  sequenceName: "Sequence name",
  sequenceId: "Sequence ID",
  senderEmail: "Sender email",
  notBefore: "Enroll on or after (date)",
  reference: "Your reference",
};

/** The counts as figures: those of a dry run say what would be. */
export const COUNT_WORDS: readonly (readonly [
  name: Exclude<keyof ImportCounts, "rows" | "handled" | "reasons">,
  words: { done: string; foreseen: string; tone: string },
])[] = [
  ["enrolled", { done: "Enrolled", foreseen: "Would be enrolled", tone: "enrolled" }],
  [
    "alreadyEnrolled",
    { done: "Already in a sequence", foreseen: "Already in a sequence", tone: "already-enrolled" },
  ],
  ["waiting", { done: "Waiting", foreseen: "Would wait", tone: "waiting" }],
  ["skipped", { done: "Skipped", foreseen: "Would be skipped", tone: "" }],
  ["failed", { done: "Not enrolled", foreseen: "Would not be enrolled", tone: "failed" }],
  ["duplicate", { done: "Duplicate rows", foreseen: "Duplicate rows", tone: "" }],
  ["invalid", { done: "Rows with an error", foreseen: "Rows with an error", tone: "failed" }],
];
