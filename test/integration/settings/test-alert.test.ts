import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createMailer } from "#domain/alerts/mailer.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { confirmAddresses } from "../../support/confirmed-addresses.js";
import { hiddenField } from "../../support/browser.js";
import { startMailServer } from "../../support/mail-server.js";
import { startListener, type Listener } from "../../support/simulated-app.js";
import {
  site,
  portalId,
  admin,
  open,
  signIn,
  page,
  choicesOf,
  alertsOf,
  setAddress,
  pressTest,
  textOf,
  postDueAlerts,
  useAlertsSite,
} from "../../support/alerts-site.js";

useAlertsSite();

describe("a test alert", () => {
  let webhook: Listener;
  let webhookStatus: number;

  beforeEach(async () => {
    webhookStatus = 204;
    webhook = await startListener(() => webhookStatus);
    await open({ privateDestinations: new Set([new URL(webhook.url).host]) });
  });

  afterEach(() => webhook.close());

  test("needs an address", async () => {
    expect(await page()).not.toContain("Send a test alert");
    await pressTest();
    expect(await page()).toContain("Add an email address or webhook first");
    expect(await alertsOf()).toEqual([]);
  });

  test("is really posted, as JSON, and its outcome shown", async () => {
    await setAddress(`${webhook.url}/hook`);
    await pressTest();
    const sent = await page();
    expect(sent).toContain("Test sent.");
    expect(textOf(sent, "last-alert")).toBe("Last alert: Test, being sent.");
    expect(sent).toMatch(
      /id="last-alert"[^>]*hx-get="\/settings\/alerts\/last\?channel=WEBHOOK" hx-trigger="every 2s"/,
    );
    await postDueAlerts();
    expect(webhook.received).toHaveLength(1);
    expect(webhook.received[0]).toMatchObject({ method: "POST", url: "/hook" });
    expect(JSON.parse(webhook.received[0]?.body ?? "")).toEqual({
      kind: "TEST",
      portalId: portalId.toString(),
      message: expect.stringContaining("This is a test"),
      occurredAt: expect.stringMatching(/^\d{4}-.*Z$/),
      settingsUrl: `${site.url}/settings`,
      detailsUrl: `${site.url}/settings`,
    });
    const line = (await admin.get("/settings/alerts/last").expect(200)).text;
    // The site's clock stands still from its start on.
    expect(textOf(line, "last-alert")).toMatch(
      /^Last alert: Test, delivered (just now|in less than a minute)/,
    );
    expect(line).toMatch(/<time [^>]*title="\w+ \d+, \d{4}, \d+:\d\d [AP]M"/);
    expect(line).not.toContain("hx-trigger");
  });

  test("by mail is really mailed to every address, and its outcome shown here and among the last alerts", async () => {
    const server = await startMailServer();
    const mailer = createMailer({ smtpUrl: server.url(), from: "enroller@operator.example" });
    const typed = { form_token: hiddenField(await page(), "form_token"), version: "0" };
    const post = (email: string) =>
      admin
        .post("/settings/alerts")
        .type("form")
        .send({ ...typed, email });
    const refused = await post("ops@acme.example, nobody");
    expect([refused.status, textOf(refused.text, "email-problem")]).toEqual([
      422,
      "“nobody” is not an email address. It should look like ops@example.com.",
    ]);
    const eleven = Array.from({ length: 11 }, (_, index) => `p${index}@acme.example`).join(",");
    expect(textOf((await post(eleven)).text, "email-problem")).toBe("Enter 10 addresses at most.");
    expect((await post(" ops@acme.example,it@acme.example, ")).status).toBe(303);
    expect(await choicesOf()).toMatchObject({ alertEmail: "ops@acme.example, it@acme.example" });
    await confirmAddresses(site.database.pool);
    await admin
      .post("/settings/alerts/test")
      .type("form")
      .send({ form_token: typed.form_token, channel: "EMAIL" });
    await postDueAlerts(mailer);
    mailer.close();
    await server.close();
    expect(server.mails.map(({ to }) => to)).toEqual(["ops@acme.example", "it@acme.example"]);
    const text = await page();
    expect(textOf(text, "last-mail")).toMatch(/^Last alert: Test, delivered/);
    expect(text).toMatch(/Recent alerts.*Test.*This is a test.*Email: .*delivered/s);
  });

  test("that fails says why and when it is tried again, until it is given up", async () => {
    await setAddress(webhook.url);
    await pressTest();
    webhookStatus = 404;
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toMatch(
      /^Last alert: Test, not delivered yet\. Your webhook returned 404\. Retrying, 1 try so far, next/,
    );
    await webhook.close();
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toContain(
      "We couldn't reach your webhook (ECONNREFUSED). Retrying, 2 tries so far",
    );
    await site.database.prisma.alert.updateMany({ data: { tries: 11 } });
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toMatch(/failed [^.]+\..*ECONNREFUSED/);
    expect(await alertsOf()).toMatchObject([{ outcome: "FAILED", tries: 12 }]);
  });

  /** As if every test so far had been sent earlier. */
  const ageTests = (by: string) =>
    site.database.pool.query(`UPDATE alerts SET created_at = created_at - $1::interval`, [by]);

  test("takes the place of one still waiting, so that the newest alone is sent", async () => {
    await setAddress(webhook.url);
    await pressTest();
    await ageTests("61 seconds");
    await pressTest();
    await postDueAlerts();
    expect(webhook.received).toHaveLength(1);
    expect((await alertsOf()).map(({ outcome }) => outcome)).toEqual(["FAILED", "SENT"]);
  });

  test("is sent once a minute by a channel, however often and from however many browsers it is asked for", async () => {
    await setAddress(webhook.url);
    const form_token = hiddenField(await page(), "form_token");
    const press = (channel: string) =>
      admin.post("/settings/alerts/test").type("form").send({ form_token, channel }).expect(303);
    await Promise.all([1, 2, 3, 4, 5].map(() => press("WEBHOOK")));
    expect(await alertsOf()).toHaveLength(1);
    await press("WEBHOOK");
    expect(await page()).toContain("You just sent a test. Wait a minute");
    await site.database.prisma.portalSettings.update({
      where: { portalId },
      data: { alertEmail: "ops@acme.example" },
    });
    await press("EMAIL");
    await ageTests("61 seconds");
    await press("WEBHOOK");
    expect((await alertsOf()).map(({ channel }) => channel)).toEqual(["WEBHOOK", "EMAIL", "WEBHOOK"]);
  });

  test("is sent ten times a day by an account, and a refused one leaves the one that waits alone", async () => {
    await setAddress(webhook.url);
    for (let count = 0; count < 10; count += 1) {
      await pressTest();
      await ageTests("61 seconds");
    }
    await pressTest();
    expect(await page()).toContain("You've reached the limit of 10 tests per day");
    expect((await alertsOf()).filter(({ outcome }) => outcome === null)).toHaveLength(1);
    expect(await alertsOf()).toHaveLength(10);
    await ageTests("1 day");
    await pressTest();
    expect(await page()).toContain("Test sent.");
    expect(await alertsOf()).toHaveLength(11);
  });

  test("is refused by the connection itself where a public app is led to an internal address", async () => {
    await site.database.prisma.portalSettings.create({
      data: { portalId, alertWebhookUrl: webhook.url.replace("http://127.0.0.1", "https://localhost") },
    });
    await pressTest();
    await postDueAlerts(undefined, new Set());
    expect(textOf(await page(), "last-alert")).toContain("The address is not reachable from the internet.");
    expect(webhook.received).toEqual([]);
  });

  test("and every other alert is shown to its own portal alone", async () => {
    const other = await signIn(site.simulator.addPortal().portalId);
    await setAddress(webhook.url);
    await pressTest();
    expect(textOf(await page(other), "last-alert")).toBe("No alerts yet.");
    await raiseAlert(site.database.pool, { portalId, kind: "PORTAL_DISCONNECTED", message: "Gone." });
    await site.database.pool.query(
      "UPDATE alerts SET due_at = now() + interval '1 hour' WHERE channel = 'WEBHOOK' AND kind <> 'TEST'",
    );
    expect(textOf(await page(), "last-alert")).toMatch(
      /waiting until \d+:\d\d [AP]M to be sent together with others\./,
    );
    expect(textOf(await page(), "last-mail")).toMatch(/not sent: no address\./);
    await site.database.pool.query("UPDATE alerts SET due_at = now() - interval '1 millisecond'");
    await setAddress("");
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toMatch(
      /“Account disconnected”, not sent: no address was set/,
    );
  });
});
