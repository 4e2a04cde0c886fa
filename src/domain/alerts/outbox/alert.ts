/** What an admin is alerted to outside the settings pages. */
export const ALERT_KINDS = [
  "PORTAL_DISCONNECTED",
  "ACCOUNT_CONNECTED",
  "USER_LIST_OLD",
  "DELETION_AHEAD",
  "SENDER_REFUSED",
  "FAILURES_HIGH",
  "BACKLOG_LATE",
  "HOLDS_CUT_SHORT",
  "UNENROLL_BROKEN",
  "SERVICE_FAULT",
  "WEBHOOK_OFF",
  "DIGEST",
  "TEST",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Channels of an alert; each has its own outcome. */
export const ALERT_CHANNELS = ["EMAIL", "WEBHOOK"] as const;
export type AlertChannel = (typeof ALERT_CHANNELS)[number];

/** PARTLY_SENT: not to every address. FAILED: to none; given up after the last try, or replaced by a newer test. */
export type AlertOutcome = "SENT" | "PARTLY_SENT" | "FAILED" | "NOT_WANTED";
