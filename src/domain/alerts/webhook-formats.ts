import { localTime } from "#platform/time/local-time.js";
import { shorten } from "#platform/text/shorten.js";
import type { DueAlert } from "./outbox/due-alerts.js";
import { ALERT_NAMES, alertPayload, detailsUrl } from "./words.js";

/**
 * Who reads a webhook's posts: a chat that shows only its own format, or a program that knows ours (docs/runbook.md).
 */
type Receiver = "slack" | "teams" | "program";

const SLACK_HOSTS: readonly string[] = ["hooks.slack.com", "hooks.slack-gov.com"];
/** Connectors of a channel, and workflows that were made from it. */
const TEAMS_DOMAINS: readonly string[] = ["webhook.office.com", "logic.azure.com", "api.powerplatform.com"];

function receiverAt(url: string): Receiver {
  if (!URL.canParse(url)) return "program";
  const { hostname } = new URL(url);
  if (SLACK_HOSTS.includes(hostname)) return "slack";
  return TEAMS_DOMAINS.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`))
    ? "teams"
    : "program";
}

/** The body of a post to a webhook's address, in the shape that its receiver shows. */
export function webhookBody(
  alert: DueAlert,
  { url, publicUrl }: { url: string; publicUrl: string },
): Record<string, unknown> {
  switch (receiverAt(url)) {
    case "slack":
      return slackMessage(alert, publicUrl);
    case "teams":
      return teamsMessage(alert, publicUrl);
    case "program":
      return alertPayload(alert, publicUrl);
  }
}

/** Slack refuses a longer text of a section. */
const LONGEST_SLACK_TEXT = 2_900;
/** Teams refuses messages of more than 28 KB. */
const LONGEST_TEAMS_TEXT = 6_000;

function slackMessage(alert: DueAlert, publicUrl: string): Record<string, unknown> {
  const name = ALERT_NAMES[alert.kind];
  const about = `Account ${alert.portalId} · ${localTime(alert.createdAt, alert.timeZone)}`;
  const link = `<${detailsUrl(alert, publicUrl)}|View details>`;
  // Shortened once it is escaped: the limit counts what is sent.
  const text = shorten(slackText(alert.message), LONGEST_SLACK_TEXT);
  return {
    text: `${name}: ${text}`,
    blocks: [
      { type: "header", text: { type: "plain_text", text: name } },
      { type: "section", text: { type: "mrkdwn", text } },
      { type: "context", elements: [{ type: "mrkdwn", text: `${slackText(about)} · ${link}` }] },
    ],
  };
}

/** A name such as "<!channel>" mentions nobody so. */
function slackText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Runs of text, of which Teams interprets no Markdown: names are from outside. */
function teamsMessage(alert: DueAlert, publicUrl: string): Record<string, unknown> {
  const lines = shorten(alert.message, LONGEST_TEAMS_TEXT).split("\n");
  const paragraph = (text: string) => ({ type: "RichTextBlock", inlines: [{ type: "TextRun", text }] });
  const about = `Account ${alert.portalId} · ${localTime(alert.createdAt, alert.timeZone)}`;
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      { type: "TextBlock", text: ALERT_NAMES[alert.kind], weight: "Bolder", size: "Medium", wrap: true },
      ...lines.filter((line) => line !== "").map(paragraph),
      { type: "RichTextBlock", inlines: [{ type: "TextRun", text: about, isSubtle: true }] },
    ],
    actions: [{ type: "Action.OpenUrl", title: "View details", url: detailsUrl(alert, publicUrl) }],
  };
  return {
    type: "message",
    attachments: [
      { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card },
    ],
  };
}
