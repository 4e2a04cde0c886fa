import type { PortalId } from "#platform/ids/branded-ids.js";
import { localTime } from "#platform/time/local-time.js";
import { shorten } from "#platform/text/shorten.js";
import { alertHtml } from "./alert-html.js";
import { LINK_DAYS } from "./confirmation-mails.js";
import type { AlertKind } from "./outbox/alert.js";
import type { DueAlert } from "./outbox/due-alerts.js";

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
  DIGEST: "Summary",
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
export function detailsUrl({ page }: DueAlert, publicUrl: string): string {
  return `${publicUrl}${page ?? "/settings"}`;
}

/** Mentions no names: the recipient may never have heard of the account, and admins choose their own display names. */
export function confirmationMail(
  portalId: PortalId,
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

/** Longer than any subject that a mail program shows. */
const LONGEST_SUBJECT = 110;

/** A mail in both forms: programs that show no HTML show the text. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function alertMail(
  alert: DueAlert,
  { publicUrl, unsubscribeUrl }: { publicUrl: string; unsubscribeUrl: string },
): MailText {
  const manageUrl = `${publicUrl}/settings/alerts`;
  const facts = [
    ["Account", String(alert.portalId)],
    ["Time", localTime(alert.createdAt, alert.timeZone)],
  ] as const;
  const often = alert.kind === "DIGEST" ? "" : "We send this type at most once an hour.";
  const lines = [
    alert.message,
    "",
    ...facts.map(([name, value]) => `${name}: ${value}`),
    `View details: ${detailsUrl(alert, publicUrl)}`,
    "",
    `You're receiving this because you're on the alert list. Manage alerts: ${manageUrl}`,
    ...(often === "" ? [] : [often]),
    `Unsubscribe: ${unsubscribeUrl}`,
  ];
  return {
    subject: `${factIn(alert.message)} (account ${alert.portalId})`,
    text: lines.join("\n"),
    html: alertHtml({
      name: ALERT_NAMES[alert.kind],
      lines: alert.message.split("\n"),
      facts,
      often,
      detailsUrl: detailsUrl(alert, publicUrl),
      manageUrl,
      unsubscribeUrl,
    }),
  };
}

/** The first sentence, which says what happened. */
function factIn(message: string): string {
  const [line = ""] = message.split("\n");
  const sentence = /^.{10,}?[.!?](?=\s|$)/.exec(line)?.[0] ?? line;
  return shorten(sentence.replace(/\.$/, ""), LONGEST_SUBJECT);
}
