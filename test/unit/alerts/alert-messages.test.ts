import { describe, expect, test } from "@jest/globals";
import type { DueAlert } from "#domain/alerts/outbox/due-alerts.js";
import { webhookBody } from "#domain/alerts/webhook-formats.js";
import { alertMail } from "#domain/alerts/words.js";
import { latestDigest } from "#worker/sweeps/raise-digests.js";

const publicUrl = "https://enroller.example";
const alertWith = (message: string): DueAlert => ({
  ...{ portalId: 62_515n, id: 1n, kind: "SENDER_REFUSED", channel: "WEBHOOK", message, tries: 1 },
  ...{
    createdAt: new Date("2026-11-27T08:24:00Z"),
    timeZone: "America/New_York",
    page: "/settings/senders/7",
  },
  ...{ address: null, sealedAddress: null, reached: [], refusals: {} },
});
const HOSTILE = `<!channel> <b>Ann & "Bo"</b> [x](https://evil.example) has no inbox.\nSecond line.`;
const bodyAt = (url: string, message = HOSTILE) =>
  JSON.stringify(webhookBody(alertWith(message), { url, publicUrl }));

describe("a webhook's address decides what is posted", () => {
  test("Slack gets blocks in which names neither mention anybody nor become markup", () => {
    const body = webhookBody(alertWith(HOSTILE), {
      url: "https://hooks.slack.com/services/T/B/x",
      publicUrl,
    });
    expect(body).toEqual({
      text: expect.stringContaining("Sender can't send: &lt;!channel&gt;"),
      blocks: [
        { type: "header", text: { type: "plain_text", text: "Sender can't send" } },
        { type: "section", text: { type: "mrkdwn", text: expect.stringContaining("&lt;b&gt;Ann &amp;") } },
        { type: "context", elements: [{ type: "mrkdwn", text: expect.stringContaining("3:24 AM") }] },
      ],
    });
    expect(JSON.stringify(body)).not.toMatch(/<(?!https:\/\/enroller\.example)/);
    expect(bodyAt("https://hooks.slack.com/x", "&".repeat(4_000)).length).toBeLessThan(7_000);
  });

  test.each([
    "https://acme.webhook.office.com/webhookb2/x",
    "https://prod-1.westeurope.logic.azure.com:443/workflows/x",
    "https://a1.b2.environment.api.powerplatform.com/powerautomate/x",
  ])("Teams gets a card whose texts are runs, of which no markup is read: %s", (url) => {
    const { attachments } = webhookBody(alertWith(HOSTILE), { url, publicUrl }) as {
      attachments: { contentType: string; content: { body: { type: string }[]; actions: unknown[] } }[];
    };
    expect(attachments[0]?.contentType).toBe("application/vnd.microsoft.card.adaptive");
    const { body = [], actions } = attachments[0]?.content ?? {};
    expect(body.map(({ type }) => type)).toEqual([
      ...["TextBlock", "RichTextBlock", "RichTextBlock", "RichTextBlock"],
    ]);
    expect(JSON.stringify(body)).toContain("[x](https://evil.example) has no inbox.");
    expect(actions).toEqual([
      { type: "Action.OpenUrl", title: "View details", url: `${publicUrl}/settings/senders/7` },
    ]);
  });

  test.each([
    "https://hooks.slack.com.evil.example/x",
    "https://notwebhook.office.com/x",
    "https://acme.example/?hooks.slack.com",
  ])("everybody else gets the shape that is documented: %s", (url) => {
    expect(JSON.parse(bodyAt(url))).toMatchObject({ kind: "SENDER_REFUSED", portalId: "62515" });
  });
});

describe("an alert's mail", () => {
  const mail = alertMail(alertWith(HOSTILE), { publicUrl, unsubscribeUrl: `${publicUrl}/u?a=1&b=2` });

  test("has the fact as its subject", () => {
    const { subject } = alertMail(alertWith("Ann Lee's inbox isn't connected. Ask her. Now."), {
      publicUrl,
      unsubscribeUrl: "x",
    });
    expect(subject).toBe("Ann Lee's inbox isn't connected (account 62515)");
  });

  test("says the same as text and as HTML, which is escaped, loads nothing and can be read in the dark", () => {
    expect(mail.text).toContain(HOSTILE);
    expect(mail.html).toContain("&lt;b&gt;Ann &amp; &quot;Bo&quot;&lt;/b&gt;");
    expect(mail.html).not.toContain("<b>");
    expect(mail.html).not.toMatch(/<img|<link|<script|url\(|@import/);
    expect(mail.html).toContain("prefers-color-scheme: dark");
    for (const part of [mail.text, mail.html]) {
      expect(part).toContain(`${publicUrl}/settings/senders/7`);
      expect(part).toContain("3:24 AM");
    }
    expect(mail.html).toContain("/u?a=1&amp;b=2");
  });
});

describe("a summary", () => {
  const digest = (period: "DAILY" | "WEEKLY", now: string, zone: string | null) => {
    const { from, to, dueAt } = latestDigest(period, new Date(now), zone);
    return [from, to, dueAt].map((at) => at.toISOString());
  };

  test("of a day covers the day before by the account's clock, from 8 AM on", () => {
    const monday = ["2026-11-22T05:00:00.000Z", "2026-11-23T05:00:00.000Z", "2026-11-23T13:00:00.000Z"];
    expect(digest("DAILY", "2026-11-23T13:00:00Z", "America/New_York")).toEqual(monday);
    expect(digest("DAILY", "2026-11-24T12:59:59Z", "America/New_York")).toEqual(monday);
    expect(digest("DAILY", "2026-11-24T13:00:00Z", "America/New_York")).not.toEqual(monday);
  });

  test("of a week covers Monday to Sunday, from Monday 8 AM on, also when the clocks changed", () => {
    const week = ["2026-10-25T23:00:00.000Z", "2026-11-01T23:00:00.000Z", "2026-11-02T07:00:00.000Z"];
    expect(digest("WEEKLY", "2026-11-02T07:00:00Z", "Europe/Berlin")).toEqual(week);
    expect(digest("WEEKLY", "2026-11-09T06:59:00Z", "Europe/Berlin")).toEqual(week);
    expect(digest("WEEKLY", "2026-10-26T12:00:00Z", "Europe/Berlin")).toEqual([
      ...["2026-10-18T22:00:00.000Z", "2026-10-25T23:00:00.000Z", "2026-10-26T07:00:00.000Z"],
    ]);
  });

  test("goes by UTC where the account's zone is unknown", () => {
    for (const zone of [null, "Mars/Base"])
      expect(digest("DAILY", "2026-11-24T09:00:00Z", zone)[0]).toBe("2026-11-23T00:00:00.000Z");
  });
});
