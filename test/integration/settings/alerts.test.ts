import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import request from "supertest";
import { createMailer, type Mailer } from "#domain/alerts/mailer.js";
import { raiseAlert } from "#domain/alerts/outbox.js";
import { openWebhookUrl } from "#domain/alerts/webhook-seals.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createWebhookPoster } from "#domain/alerts/webhook-post.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { createLogger } from "#platform/observability/logger.js";
import { confirmAddresses } from "../../support/confirmed-addresses.js";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { startMailServer } from "../../support/mail-server.js";
import { startListener, type Listener } from "../../support/simulated-app.js";
import { KEYS, startSite, type Site } from "../../support/site.js";

type Agent = ReturnType<typeof request.agent>;

let site: Site;
let portalId: bigint;
let admin: Agent;
let privateDestinations: ReadonlySet<string> = new Set();

/** Opens the site and signs an admin in. */
async function open(options: Parameters<typeof startSite>[0] = {}): Promise<void> {
  site = await startSite(options);
  const portal = site.simulator.addPortal();
  portalId = BigInt(portal.portalId);
  admin = await signIn(portal.portalId);
}

/** A browser that has just installed the app in the portal. */
async function signIn(portal: number): Promise<Agent> {
  const agent = request.agent(site.url);
  const start = await agent.get("/oauth/install").expect(302);
  const back = new URL(site.simulator.authorize(start.get("location") ?? "", { portalId: portal }));
  await agent.get(back.pathname + back.search);
  return agent;
}

const page = async (from = admin, path = "/settings/alerts"): Promise<string> =>
  (await from.get(path).expect(200)).text;
/** As they are stored, with the address opened, which is stored sealed. */
async function choicesOf(portal = portalId) {
  const stored = await site.database.prisma.portalSettings.findUnique({ where: { portalId: portal } });
  const sealed = stored?.alertWebhookSealed ?? null;
  return (
    stored && {
      ...stored,
      ...(sealed && { alertWebhookUrl: openWebhookUrl(createCipher(KEYS), portal, sealed) }),
    }
  );
}
const alertsOf = (portal = portalId) =>
  site.database.prisma.alert.findMany({ where: { portalId: portal }, orderBy: { id: "asc" } });

/** Fills in the form as it stands on the page, or stood on an earlier one. */
async function setAddress(address: string, { from = admin, filledIn = "" } = {}) {
  const form = filledIn === "" ? await page(from) : filledIn;
  return from
    .post("/settings/alerts")
    .type("form")
    .send({
      form_token: hiddenField(form, "form_token"),
      version: hiddenField(form, "version"),
      webhook_url: address,
    });
}

async function pressTest(from = admin) {
  const token = hiddenField(await page(from), "form_token");
  return from.post("/settings/alerts/test").type("form").send({ form_token: token, channel: "WEBHOOK" });
}

/** Text of one element, without its tags. */
function textOf(html: string, id: string): string {
  const element = new RegExp(`<(\\w+)[^>]* id="${id}"[^>]*>(.*?)</\\1>(?=<|$)`, "s").exec(html)?.[2];
  if (element === undefined) throw new Error(`The page has no element ${id}`);
  return element.replace(/<[^>]*>/g, "").replaceAll("&quot;", '"');
}

/** The worker's periodic job, once. */
async function postDueAlerts(
  mailer?: Mailer,
  destinations: ReadonlySet<string> = privateDestinations,
): Promise<void> {
  const poster = createWebhookPoster(destinations);
  await site.database.pool.query("UPDATE alerts SET due_at = now() WHERE outcome IS NULL");
  const logger = createLogger({
    level: "debug",
    destination: { write: (line: string) => void site.logLines.push(line) },
  });
  await sendDueAlerts({
    pool: site.database.pool,
    poster,
    mailer,
    publicUrl: site.url,
    cipher: createCipher(KEYS),
    logger,
  });
  await poster.close();
}

afterEach(() => site.close());

describe("the address for alerts", () => {
  beforeEach(() => open());

  test("is saved, shown, changed and cleared, each confirmed", async () => {
    await setAddress("  https://example.com/alerts?key=a&b=<c>  ");
    expect(await choicesOf()).toMatchObject({
      alertWebhookUrl: "https://example.com/alerts?key=a&b=<c>",
      version: 1,
    });
    const saved = await page();
    expect(saved).toContain("Alerts saved.");
    expect(saved).toContain(`value="https://example.com/alerts?key=a&amp;b=&lt;c>"`);
    await setAddress("");
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: null, version: 2 });
    expect(await page()).toContain("Alerts saved.");
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
    expect(textOf(answer.text, "webhook-url-problem")).toContain(reason);
    expect(answer.text).toContain(`value="${address}"`);
    expect(answer.text).toMatch(
      /id="webhook-url"[^>]*aria-invalid="true"[^>]* aria-describedby="webhook-url-problem/,
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
  });

  test("is not overwritten by a form filled in before somebody else saved", async () => {
    const stale = await page();
    await setAddress("https://first.example/", { from: await signIn(Number(portalId)) });
    const late = await setAddress("https://second.example/", { filledIn: stale });
    expect(late.status).toBe(409);
    expect(await choicesOf()).toMatchObject({ alertWebhookUrl: "https://first.example/", version: 1 });
    expect(late.text).toContain("Somebody else saved this in the meantime");
    expect(late.text).toMatch(/Alerts go to.*https:\/\/first\.example\/.*https:\/\/second\.example\//);
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
          .expect(403, /This form is out of date/);
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

describe("a test alert", () => {
  let webhook: Listener;
  let webhookStatus: number;

  beforeEach(async () => {
    webhookStatus = 204;
    webhook = await startListener(() => webhookStatus);
    privateDestinations = new Set([new URL(webhook.url).host]);
    await open({ privateDestinations });
  });

  afterEach(() => webhook.close());

  test("needs an address", async () => {
    expect(await page()).not.toContain("Send a test alert");
    await pressTest();
    expect(await page()).toContain("Save an address for alerts first");
    expect(await alertsOf()).toEqual([]);
  });

  test("is really posted, as JSON, and its outcome shown", async () => {
    await setAddress(`${webhook.url}/hook`);
    await pressTest();
    const sent = await page();
    expect(sent).toContain("A test alert is on its way.");
    expect(textOf(sent, "last-alert")).toBe("Last alert: Test, on its way.");
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
    expect(textOf(line, "last-alert")).toMatch(/^Last alert: Test, delivered \d+ \w+ \d{4}/);
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
      "“nobody” is not an e-mail address. It should look like ops@example.com.",
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
    expect(text).toMatch(/The last alerts.*Test.*This is a test.*Mail: .*delivered/s);
  });

  test("that fails says why and when it is tried again, until it is given up", async () => {
    await setAddress(webhook.url);
    await pressTest();
    webhookStatus = 404;
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toMatch(
      /^Last alert: Test, not delivered yet\. The address answered with status 404\. Tried 1 time, next at/,
    );
    await webhook.close();
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toContain(
      "could not be reached (ECONNREFUSED). Tried 2 times",
    );
    await site.database.prisma.alert.updateMany({ data: { tries: 11 } });
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toMatch(/not delivered, given up \d.*ECONNREFUSED/);
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
    expect(await page()).toContain("A test was sent a moment ago. Wait a minute");
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
    expect(await page()).toContain("Ten tests were sent within a day");
    expect((await alertsOf()).filter(({ outcome }) => outcome === null)).toHaveLength(1);
    expect(await alertsOf()).toHaveLength(10);
    await ageTests("1 day");
    await pressTest();
    expect(await page()).toContain("A test alert is on its way.");
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
    expect(textOf(await page(other), "last-alert")).toBe("No alert so far.");
    await raiseAlert(site.database.pool, { portalId, kind: "PORTAL_DISCONNECTED", message: "Gone." });
    await setAddress("");
    await postDueAlerts();
    expect(textOf(await page(), "last-alert")).toMatch(
      /“Account disconnected”, raised .* when no address was set/,
    );
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
    expect(words).toContain("HubSpot is not answering.");
    expect(words).toContain("failing since 20 Nov 2026, 17:04");
    expect(words).toContain("tries again at 20 Nov 2126, 17:09");
    expect(words).toContain("Contacts waiting: 3. Nothing is lost");
    expect(words).toContain("Last failure: HubSpot did not answer (ECONNRESET)");
  });

  test("say what is done next, by how long the pause still is and whether anybody waits", async () => {
    await openCircuit({ until: minutes(0.5) });
    expect(await trouble()).toContain("tries again within a minute");
    await openCircuit({ until: minutes(-1) });
    expect(await trouble()).toContain("tries again when the next contact comes");
    expect(await trouble()).toContain("No contact is waiting for it.");
    await seedExecutions(site.database, [{ portalId }]);
    expect(await trouble()).toContain("is trying again now, one call at a time");
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

  test("come and go with the page's own refreshing", async () => {
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
    expect(await page(admin, "/settings")).toContain("Nobody is waiting.");
    await seedExecutions(site.database, [
      { portalId, state: "UNCERTAIN", acceptedAt: hoursAgo(30.5) },
      { portalId, state: "ATTEMPTING", acceptedAt: hoursAgo(1) },
      { portalId, state: "QUEUED" },
      { portalId, state: "DECIDED", enrollmentStatus: "ENROLLED", acceptedAt: hoursAgo(60) },
      { portalId: portalId + 1n, acceptedAt: hoursAgo(60) },
    ]);
    const part = await page(admin, "/settings/waiting");
    expect(part.startsWith('<section class="card" id="waiting"')).toBe(true);
    expect(part).toMatch(/>3 contacts wait<\/a> to be enrolled.<\/p>/);
    expect(part).toMatch(/>The oldest<\/a> has waited for 30 hours./);
  });

  test("of a disconnected portal are shown with the day until which they are kept", async () => {
    const deadlineAt = new Date("2026-11-26T12:04:00Z");
    await seedExecutions(site.database, [{ portalId }, { portalId }, { portalId: portalId + 1n }]);
    await site.database.prisma.execution.updateMany({ where: { portalId }, data: { deadlineAt } });
    await site.vault.disconnect(portalId, "The app was uninstalled.");
    const html = await page(admin, "/settings");
    expect(html).toContain("Contacts waiting: 2.");
    expect(html).toMatch(/Connect again before <time[^>]*>26 Nov 2026, 12:04<\/time> \(UTC\)/);
    await site.database.prisma.execution.updateMany({ data: { state: "COMPLETED" } });
    expect(await page(admin, "/settings")).not.toContain("Contacts waiting");
  });
});
