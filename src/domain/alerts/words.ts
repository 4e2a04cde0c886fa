import { localTime } from "#platform/time/local-time.js";
import { LINK_DAYS } from "./confirmation-mails.js";
import type { AlertKind, DueAlert } from "./outbox.js";

/** The name of each kind, for people. */
export const ALERT_NAMES: Readonly<Record<AlertKind, string>> = {
  PORTAL_DISCONNECTED: "Account disconnected",
  ACCOUNT_CONNECTED: "Account reconnected by another user",
  USER_LIST_OLD: "List of admins out of date",
  DELETION_AHEAD: "Account will be deleted",
  SENDER_REFUSED: "Sender can't send",
  FAILURES_HIGH: "High failure rate",
  SERVICE_FAULT: "Sequence Enroller has a problem",
  BACKLOG_LATE: "Enrollment backlog",
  HOLDS_CUT_SHORT: "HubSpot released contacts early",
  WEBHOOK_OFF: "Webhook turned off",
  UNENROLL_BROKEN: "Contacts can't be unenrolled",
  TEST: "Test",
};

/** The body of a webhook call: a stable shape, described in docs/runbook.md. */
export function alertPayload(alert: DueAlert, publicUrl: string): Record<string, unknown> {
  return {
    kind: alert.kind,
    portalId: alert.portalId.toString(),
    message: alert.message,
    occurredAt: alert.createdAt.toISOString(),
    settingsUrl: `${publicUrl}/settings`,
    detailsUrl: detailsUrl(alert, publicUrl),
  };
}

/** The page that shows the alert's subject. */
function detailsUrl({ page }: DueAlert, publicUrl: string): string {
  return `${publicUrl}${page ?? "/settings"}`;
}

/** Mentions no names: the recipient may never have heard of the account, and admins choose their own display names. */
export function confirmationMail(
  portalId: bigint,
  { confirmUrl, unsubscribeUrl }: { confirmUrl: string; unsubscribeUrl: string },
): { subject: string; text: string } {
  const lines = [
    `An admin of HubSpot account ${portalId} wants to send Sequence Enroller alerts to this address.`,
    "Alerts say when contacts aren't enrolled in sequences, or when the app is disconnected.",
    "",
    `To get them, confirm within ${LINK_DAYS} days: ${confirmUrl}`,
    "",
    "If you don't want them, do nothing. We won't send you any alerts.",
    `Never get email from this account again: ${unsubscribeUrl}`,
  ];
  return { subject: `Sequence Enroller: confirm your address (account ${portalId})`, text: lines.join("\n") };
}

export function alertMail(
  alert: DueAlert,
  { publicUrl, unsubscribeUrl }: { publicUrl: string; unsubscribeUrl: string },
): { subject: string; text: string } {
  const name = ALERT_NAMES[alert.kind];
  const lines = [
    alert.message,
    "",
    `Account: ${alert.portalId}`,
    `Time: ${localTime(alert.createdAt, alert.timeZone)}`,
    `View details: ${detailsUrl(alert, publicUrl)}`,
    "",
    `You're receiving this because you're on the alert list. Manage alerts: ${publicUrl}/settings/alerts`,
    "We send this type at most once an hour.",
    `Unsubscribe: ${unsubscribeUrl}`,
  ];
  return { subject: `Sequence Enroller: ${name} (account ${alert.portalId})`, text: lines.join("\n") };
}
