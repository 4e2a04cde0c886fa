import { localTime } from "#platform/time/local-time.js";
import { LINK_DAYS } from "./confirmation-mails.js";
import type { AlertKind, DueAlert } from "./outbox.js";

/** The name of each kind, for people. */
export const ALERT_NAMES: Readonly<Record<AlertKind, string>> = {
  PORTAL_DISCONNECTED: "Account disconnected",
  ACCOUNT_CONNECTED: "Account connected by somebody else",
  USER_LIST_OLD: "List of admins out of date",
  DELETION_AHEAD: "Account will be deleted",
  SENDER_REFUSED: "Sender refused",
  FAILURES_HIGH: "Many contacts not enrolled",
  SERVICE_FAULT: "Sequence Enroller is out of order",
  BACKLOG_LATE: "Contacts will miss their deadline",
  HOLDS_CUT_SHORT: "HubSpot let go of contacts early",
  WEBHOOK_OFF: "Webhook switched off",
  UNENROLL_BROKEN: "Contacts cannot be unenrolled",
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
    `Somebody who administers HubSpot account ${portalId} wants alerts of Sequence Enroller mailed to this address.`,
    "They tell when contacts are not enrolled in sequences, or when the app is disconnected.",
    "",
    `To get them, confirm that you want them within ${LINK_DAYS} days: ${confirmUrl}`,
    "",
    "If you do not want them, do nothing: no alert is sent to you.",
    `Have this account never write to you again: ${unsubscribeUrl}`,
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
    `See: ${detailsUrl(alert, publicUrl)}`,
    "",
    `You get this because your address is set under Alerts: ${publicUrl}/settings/alerts`,
    "The same is not repeated within an hour.",
    `Stop these mails to you: ${unsubscribeUrl}`,
  ];
  return { subject: `Sequence Enroller: ${name} (account ${alert.portalId})`, text: lines.join("\n") };
}
