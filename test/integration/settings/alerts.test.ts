import { beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
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
  textOf,
  useAlertsSite,
} from "../../support/alerts-site.js";
import { systemOf } from "../../support/actors.js";

useAlertsSite();

describe("the address for alerts", () => {
  beforeEach(() => open());

  test("is saved, shown, changed and cleared, each confirmed", async () => {
    await setAddress("  https://example.com/alerts?key=a&b=<c>  ");
    expect(await choicesOf()).toMatchObject({
      alertWebhookUrl: "https://example.com/alerts?key=a&b=<c>",
      version: 1,
    });
    const saved = await page();
    expect(saved).toContain("Alert settings saved.");
    expect(saved).toContain(`value="https://example.com/alerts?key=a&amp;b=&lt;c>"`);
    await setAddress("");
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: null, version: 2 });
    expect(await page()).toContain("Alert settings saved.");
  });

  test("that nobody entered has nothing being sent to it", async () => {
    await site.database.prisma.alert.createMany({
      data: ["EMAIL", "WEBHOOK"].map((channel) => ({
        portalId,
        kind: "SENDER_REFUSED",
        channel,
        message: "Noah can't send.",
      })),
    });
    const recent = (await page()).split("Recent alerts")[1] ?? "";
    expect(recent).toContain("Not sent: no address.");
    expect(recent).not.toContain("being sent");
  });

  test("is saved without touching the default sender or another portal's settings", async () => {
    const other = site.simulator.addPortal().portalId;
    await signIn(other);
    await site.database.prisma.portalSettings.createMany({
      data: [
        { portalId, defaultSenderUserId: 7n, version: 3 },
        { portalId: BigInt(other), alertWebhookUrl: "https://theirs.example/", version: 3 },
      ],
    });
    await setAddress("https://example.com/alerts");
    expect(await choicesOf()).toMatchObject({ defaultSenderUserId: 7n, version: 4 });
    expect(await choicesOf(BigInt(other))).toMatchObject({
      alertWebhookUrl: "https://theirs.example/",
      version: 3,
    });
  });

  test.each([
    ["no address at all", "words", "This is not a web address."],
    ["plain http", "http://example.com/alerts", "The address must begin with https://."],
    ["a script", "javascript:alert(1)", "The address must begin with https://."],
    ["one with a password", "https://user:secret@example.com/", "must not contain a user name or password"],
    ["this machine", "https://127.0.0.1/alerts", "not reachable from the internet"],
    ["this machine in hex", "https://0x7f.1/alerts", "not reachable from the internet"],
    ["this machine by IPv6", "https://[::1]/alerts", "not reachable from the internet"],
    ["a private network in IPv6", "https://[::ffff:10.0.0.1]/alerts", "not reachable from the internet"],
    ["a cloud's metadata", "https://169.254.169.254/latest", "not reachable from the internet"],
    ["one too long", `https://example.com/${"a".repeat(2_000)}`, "The address is too long."],
  ])("%s is refused at the field, and kept there to be corrected", async (_what, address, reason) => {
    const answer = await setAddress(address);
    expect(answer.status).toBe(422);
    expect(textOf(answer.text, "webhook_url-problem")).toContain(reason);
    expect(answer.text).toContain(`value="${address}"`);
    expect(answer.text).toMatch(
      /id="webhook_url"[^>]* aria-describedby="webhook_url-problem[^>]* aria-invalid="true"/,
    );
    expect(await choicesOf()).toBeNull();
    expect((await setAddress("https://example.com/", { filledIn: answer.text })).status).toBe(303);
  });

  test("is saved without a NUL, which the database cannot hold", async () => {
    const form = await page();
    const fields = new URLSearchParams({
      form_token: hiddenField(form, "form_token"),
      version: hiddenField(form, "version"),
    });
    const body = `${fields}&webhook_url=https://example.com/a%00b`;
    await admin.post("/settings/alerts").type("form").send(body).expect(303);
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://example.com/ab" });
  });

  test("may be in the operator's own network only where the operator says so, by host and port", async () => {
    await site.close();
    await open({ privateDestinations: new Set(["127.0.0.1:9", "alerts.internal:443"]) });
    for (const address of ["http://127.0.0.1:9/alerts", "https://127.0.0.1:9/", "https://alerts.internal/x"])
      expect([address, (await setAddress(address)).status]).toEqual([address, 303]);
    for (const address of [
      "http://127.0.0.1:10/alerts",
      "http://localhost:9/",
      "http://alerts.internal/x",
      "https://127.0.0.2:9/",
      "ftp://127.0.0.1:9/",
      "http://user:secret@127.0.0.1:9/alerts",
    ])
      expect([address, (await setAddress(address)).status]).toEqual([address, 422]);
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://alerts.internal/x", version: 3 });
  });

  test("is not overwritten by a form filled in before somebody else saved", async () => {
    const stale = await page();
    await setAddress("https://first.example/", { from: await signIn(Number(portalId)) });
    const late = await setAddress("https://second.example/", { filledIn: stale });
    expect(late.status).toBe(409);
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://first.example/", version: 1 });
    expect(late.text).toContain("Another admin saved changes while you were editing");
    expect(late.text).toMatch(/Webhook URL.*https:\/\/first\.example\/.*https:\/\/second\.example\//);
    expect(late.text).toContain(`value="https://second.example/"`);
    expect((await setAddress("https://second.example/", { filledIn: late.text })).status).toBe(303);
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://second.example/", version: 2 });
  });

  test("is saved by a form that was open while somebody paused the account", async () => {
    const form = await page();
    const form_token = hiddenField(form, "form_token");
    await admin.post("/settings/danger/pause").type("form").send({ form_token }).expect(303);
    expect((await setAddress("https://example.com/", { filledIn: form })).status).toBe(303);
    expect(await choicesOf()).toMatchObject({ pausedAt: expect.any(Date), version: 1 });
  });

  test("a form refused for its address does not hide that somebody saved meanwhile", async () => {
    const refused = await setAddress("words");
    await setAddress("https://first.example/", { from: await signIn(Number(portalId)) });
    const version = /id="alerts-form".*?name="version" value="(\d+)"/s.exec(refused.text)?.[1] ?? "";
    const form_token = hiddenField(refused.text, "form_token");
    await admin
      .post("/settings/alerts")
      .type("form")
      .send({ form_token, version, webhook_url: "https://second.example/" });
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://first.example/" });
  });

  test("is changed, and tested, by no form without this session's token", async () => {
    await setAddress("https://example.com/");
    const foreign = hiddenField(await page(await signIn(site.simulator.addPortal().portalId)), "form_token");
    for (const form_token of [undefined, "", "x", foreign]) {
      const fields = {
        version: "1",
        webhook_url: "https://evil.example/",
        ...(form_token === undefined ? {} : { form_token }),
      };
      for (const path of ["/settings/alerts", "/settings/alerts/test"])
        await admin
          .post(path)
          .type("form")
          .send(fields)
          .expect(403, /This form has expired/);
    }
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://example.com/" });
    expect(await alertsOf()).toEqual([]);
  });

  test("is nothing to a stranger", async () => {
    const stranger = request(site.url);
    await stranger
      .post("/settings/alerts")
      .type("form")
      .send({ webhook_url: "https://evil.example/" })
      .expect(303);
    await stranger.post("/settings/alerts/test").type("form").send({}).expect(303);
    await stranger.get("/settings/alerts/last").expect(401, "");
    expect(await choicesOf()).toBeNull();
  });
});

describe("HubSpot's troubles", () => {
  const minutes = (count: number): Date => new Date(site.clock.now.getTime() + count * 60_000);

  beforeEach(() => open());

  async function openCircuit(circuit: { until: Date; reason?: string; trips?: number }, portal = portalId) {
    const row = {
      circuitOpenedAt: new Date("2026-11-20T17:04:00Z"),
      circuitOpenUntil: circuit.until,
      circuitReason: circuit.reason ?? "HubSpot did not answer (ECONNRESET)",
      circuitTrips: circuit.trips ?? 1,
    };
    await site.database.prisma.portalDrain.upsert({
      where: { portalId: portal },
      create: { portalId: portal, ...row },
      update: row,
    });
  }

  const trouble = async (): Promise<string> => textOf(await page(admin, "/settings"), "hubspot-trouble");

  test("are not mentioned while there are none, be they over or another portal's", async () => {
    expect(await trouble()).toBe("");
    await openCircuit({ until: minutes(5) }, portalId + 1n);
    await openCircuit({ until: minutes(5), trips: 0 });
    expect(await trouble()).toBe("");
  });

  test("show since when, until when, who waits and what HubSpot said last", async () => {
    await seedExecutions(site.database, [{ portalId }, { portalId }, { portalId, state: "DECIDED" }]);
    await openCircuit({ until: new Date("2126-11-20T17:09:00Z") });
    const words = await trouble();
    expect(words).toContain("HubSpot isn't responding.");
    expect(words).toContain("failed since Nov 20, 2026, 5:04 PM");
    expect(words).toContain("Next try: Nov 20, 2126, 5:09 PM");
    expect(words).toContain("Contacts waiting: 3. No contacts are lost");
    expect(words).toContain("Last failure: HubSpot did not answer (ECONNRESET)");
  });

  test("say what is done next, by how long the pause still is and whether anybody waits", async () => {
    await openCircuit({ until: minutes(0.5) });
    expect(await trouble()).toContain("retry within a minute");
    await openCircuit({ until: minutes(-1) });
    expect(await trouble()).toContain("We'll retry with the next contact.");
    expect(await trouble()).toContain("No contacts are waiting.");
    await seedExecutions(site.database, [{ portalId }]);
    expect(await trouble()).toContain("Retrying now.");
  });

  test("quote HubSpot escaped and short", async () => {
    await openCircuit({ until: minutes(5), reason: `<img src=x onerror=alert(1)> ${"word ".repeat(100)}` });
    const html = await page(admin, "/settings");
    expect(html).toContain("&lt;img src=x");
    expect(html).not.toContain("<img");
    const quoted = /Last failure: ([^<]*)/.exec(html)?.[1] ?? "";
    expect(quoted.endsWith("…")).toBe(true);
    expect(quoted.length).toBeLessThan(220);
  });

  test("appear and disappear as the page refreshes itself", async () => {
    await openCircuit({ until: minutes(5) });
    const during = (await admin.get("/settings/waiting").expect(200)).text;
    expect(during).toMatch(/<div id="hubspot-trouble" role="status" hx-swap-oob="true"><div/);
    await openCircuit({ until: minutes(5), trips: 0 });
    const after = (await admin.get("/settings/waiting").expect(200)).text;
    expect(after).toContain(`<div id="hubspot-trouble" role="status" hx-swap-oob="true"></div>`);
  });
});

describe("waiting contacts", () => {
  const hoursAgo = (count: number): Date => new Date(site.clock.now.getTime() - count * 3_600_000);

  beforeEach(() => open());

  test("are counted however old, with the oldest one's age; decided and foreign ones are not", async () => {
    expect(await page(admin, "/settings")).toContain("No contacts waiting.");
    await seedExecutions(site.database, [
      { portalId, state: "UNCERTAIN", acceptedAt: hoursAgo(30.5) },
      { portalId, state: "ATTEMPTING", acceptedAt: hoursAgo(1) },
      { portalId, state: "QUEUED" },
      { portalId, state: "DECIDED", enrollmentStatus: "ENROLLED", acceptedAt: hoursAgo(60) },
      { portalId: portalId + 1n, acceptedAt: hoursAgo(60) },
    ]);
    const part = await page(admin, "/settings/waiting");
    expect(part.startsWith('<section class="card" id="waiting"')).toBe(true);
    expect(part).toMatch(/>3 contacts waiting<\/a> to be enrolled.<\/p>/);
    expect(part).toMatch(/>The oldest<\/a> has waited for 30 hours./);
  });

  test("of a disconnected portal are shown with the day until which they are kept", async () => {
    const deadlineAt = new Date("2026-11-26T12:04:00Z");
    await seedExecutions(site.database, [{ portalId }, { portalId }, { portalId: portalId + 1n }]);
    await site.database.prisma.execution.updateMany({ where: { portalId }, data: { deadlineAt } });
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "The app was uninstalled." });
    const html = await page(admin, "/settings");
    expect(html).toContain("Contacts waiting: 2.");
    expect(html).toMatch(/Reconnect before <time[^>]*>Nov 26, 2026, 12:04 PM<\/time> \(UTC\)/);
    await site.database.prisma.execution.updateMany({ data: { state: "COMPLETED" } });
    expect(await page(admin, "/settings")).not.toContain("Contacts waiting");
  });
});
