import { beforeEach, describe, expect, test } from "@jest/globals";
import type { ExecutionSeed } from "../../support/executions.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { hiddenField, type BrowserAnswer } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { storeFlow } from "../../support/stored-flows.js";
import {
  browser,
  hoursAgo,
  otherBrowser,
  otherId,
  portalId,
  site,
  useActivitySite,
} from "../../support/activity-site.js";

useActivitySite();

const failed = (errorCode: string, more: Partial<ExecutionSeed> = {}): ExecutionSeed => ({
  portalId,
  sequenceId: "31",
  enrollmentStatus: "FAILED",
  errorCode,
  decidedAt: hoursAgo(2),
  ...more,
});

/** The card as text, without what is folded away below "No action needed". */
async function attention(by = browser): Promise<{ shown: string; expected: string; html: string }> {
  const { text } = await by.get("/settings?range=7d");
  const html = text.slice(text.indexOf(`id="attention-title"`), text.indexOf(`id="waiting-title"`));
  const words = (part: string) =>
    part
      .replaceAll(/<svg.*?<\/svg>/g, "")
      .replaceAll(/<[^>]+>/g, " ")
      .replaceAll(/\s+/g, " ");
  const [shown = "", expected = ""] = html.split("No action needed");
  return { shown: words(shown), expected: words(expected), html };
}

async function addUser(userId: bigint, firstName: string, of = portalId): Promise<void> {
  const name = { firstName, lastName: "Soto", email: `${firstName.toLowerCase()}@acme.example` };
  await site.database.prisma.user.create({
    data: { portalId: of, userId, ...name, superAdmin: false, seatNames: [], isListed: true },
  });
}

beforeEach(async () => {
  await site.database.pool.query("DELETE FROM users WHERE user_id < 1000");
  await site.database.pool.query("TRUNCATE senders, presets, flows, flow_steps");
});

describe("what needs attention", () => {
  test("is one line for each thing to mend, by the sender's name, and leads to the sender", async () => {
    await addUser(7n, "Miguel");
    await addUser(8n, "Noah");
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, refusedCode: "INBOX_NOT_CONNECTED", dailyCap: 9 },
    });
    await site.database.prisma.senderSettings.create({ data: { portalId, userId: 7n, dailyCap: 0 } });
    await seedExecutions(site.database, [
      ...Array.from({ length: 3 }, () => failed("SENDER_LIMIT_REACHED", { senderUserId: 7n })),
      failed("INBOX_NOT_CONNECTED", { senderUserId: 8n }),
      failed("INBOX_NOT_CONNECTED", { senderUserId: 8n }),
      failed("OWNER_MISSING"),
    ]);
    const { shown, html } = await attention();
    expect(shown).toMatch(/Miguel Soto : daily cap reached 3 contacts · .*Raise Miguel Soto's cap/);
    expect(shown).toMatch(/Noah Soto : inbox not connected 2 contacts/);
    expect(shown).toMatch(/No owner 1 contact/);
    expect(html).toContain(`href="/settings/senders/8"`);
    expect(html).toContain("code=INBOX_NOT_CONNECTED&amp;sender=8");
    expect(html).not.toContain("SENDER_LIMIT_REACHED<");
  });

  test("tells the account's own blocked list apart from HubSpot's, and expects what is meant to be so", async () => {
    const preset = await site.database.prisma.preset.create({
      data: { portalId, name: "House rules", policy: {}, isDefault: false },
    });
    const request = { presetId: String(preset.presetId), senderMode: "contact_owner" };
    const own = "rival.example is on your blocked domains list.";
    await seedExecutions(site.database, [
      failed("BLOCKED", { enrollmentStatus: "SKIPPED", errorMessage: own, request }),
      failed("BLOCKED", { errorMessage: "HubSpot blocks this address." }),
      failed("UNSUBSCRIBED"),
      failed("COOLDOWN_ACTIVE", { enrollmentStatus: "SKIPPED" }),
    ]);
    const { shown, expected } = await attention();
    expect(shown).toContain("On a blocked list 1 contact");
    expect(shown).not.toContain("rival.example");
    expect(expected).toMatch(
      /: 3 contacts .*rival\.example is on your blocked domains list\. 1 contact · .*Edit preset House rules/,
    );
    expect(expected).toContain("Opted out");
    expect(expected).toContain("In cooldown");
  });

  test("has a message to the sender without an inbox, the same as the sender's page", async () => {
    await addUser(8n, "Noah");
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, refusedCode: "INBOX_NOT_CONNECTED" },
    });
    await seedExecutions(site.database, [failed("INBOX_NOT_CONNECTED", { senderUserId: 8n })]);
    const messageIn = (html: string) => /<pre class="quote">(Hi Noah Soto,[^<]*)<\/pre>/.exec(html)?.[1];
    const { html } = await attention();
    expect(messageIn(html)).toContain(`/settings/${portalId}/user-preferences/email`);
    expect(html).toMatch(/data-copy="Hi Noah Soto,[^"]*" aria-label="Copy message to Noah Soto" hidden/);
    expect(messageIn((await browser.get("/settings/senders/8")).text)).toBe(messageIn(html));
  });

  test("says what is fixed, and offers to retry those that are left", async () => {
    await addUser(8n, "Noah");
    await seedExecutions(site.database, [
      failed("INBOX_NOT_CONNECTED", { contactId: "1", senderUserId: 8n }),
      failed("INBOX_NOT_CONNECTED", { contactId: "2", senderUserId: 8n }),
    ]);
    const [first, second] = await site.database.prisma.execution.findMany({
      where: { portalId },
      orderBy: { id: "asc" },
    });
    await seedExecutions(site.database, [
      { portalId, contactId: "1", retryOf: first!.id, isHeld: false, enrollmentStatus: "ENROLLED" },
    ]);
    const { shown, html } = await attention();
    expect(shown).toMatch(
      /Noah Soto : inbox not connected 2 contacts , 1 of them retried since .*Fixed Retry 1 contact/,
    );
    const link = /href="(\/settings\/activity\/bulk\?[^"]*)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect((await browser.get(link)).text).toContain("Reason: Inbox not connected");
    // Nothing is left to do once the other one was enrolled, too.
    await seedExecutions(site.database, [
      { portalId, contactId: "2", retryOf: second!.id, isHeld: false, enrollmentStatus: "ENROLLED" },
    ]);
    expect((await attention()).shown).not.toContain("Noah Soto");
  });

  test("is of the account alone", async () => {
    await seedExecutions(site.database, [failed("OWNER_MISSING", { portalId: otherId })]);
    expect((await attention()).shown).toContain("Nothing needs attention.");
    expect((await attention(otherBrowser)).shown).toContain("No owner 1 contact");
  });
});

describe("the list of what is left to set up", () => {
  const setup = async () => {
    const { text } = await browser.get("/settings");
    const at = text.indexOf(`id="setup"`);
    return at < 0 ? undefined : text.slice(at, text.indexOf("Hide this list"));
  };

  test("goes by what is there, step by step, until all is done", async () => {
    const prisma = site.database.prisma;
    await prisma.portal.updateMany({ where: { portalId }, data: { directorySyncedAt: null } });
    await prisma.portalSettings.deleteMany({ where: { portalId } });
    expect(await setup()).toContain("Reading your sequences and users.");
    expect(await setup()).toContain(`hx-get="/settings/setup"`);
    await addUser(7n, "Miguel");
    await prisma.portal.updateMany({ where: { portalId }, data: { directorySyncedAt: new Date() } });
    const read = await setup();
    expect(read).toContain("2 of 5 done");
    expect(read).not.toContain("hx-get");
    const native = {
      flowId: "9",
      name: "Renewal reminders",
      steps: [{ kind: "NATIVE_ENROLL", sequenceId: "31" }],
    };
    await storeFlow(site.database.pool, portalId, native);
    expect(await setup()).toContain("HubSpot's own enroll action is used by: Renewal reminders.");
    const page = (await browser.get("/settings")).text;
    const form = page.slice(page.indexOf(`id="setup"`));
    const fields = { form_token: hiddenField(form, "form_token"), version: hiddenField(form, "version") };
    await browser.post("/settings/default-sender", { ...fields, sender_user_id: "7" });
    expect(await setup()).toContain("Default sender chosen");
    const alerts = await setup();
    const version = hiddenField(alerts?.slice(alerts.indexOf("Get alerts")) ?? "", "version");
    await browser.post("/settings/alerts", { ...fields, version, email: "ops@acme.example" });
    expect(await setup()).toContain("4 of 5 done");
    await seedExecutions(site.database, [{ portalId }]);
    expect(await setup()).toBeUndefined();
  });

  test("can be hidden, in one browser for one account", async () => {
    const { prisma } = site.database;
    await prisma.portalSettings.deleteMany({ where: { portalId } });
    const page = (await browser.get("/settings")).text;
    expect(await setup()).toBeDefined();
    await browser.post("/settings/setup/hide", { form_token: hiddenField(page, "form_token") });
    expect(await setup()).toBeUndefined();
    expect((await otherBrowser.get("/settings")).text).toContain("Set up Sequence Enroller");
  });
});

describe("the default sender", () => {
  async function addPreset(name: string): Promise<bigint> {
    const policy = { ...INITIAL_POLICY, sender: { mode: "contact_owner" } as const };
    const actor = { kind: "admin", portalId, userId: 1n, userEmail: null } as const;
    const saved = await savePreset(site.database, actor, { draft: { name, policy }, saved: undefined });
    if (saved.kind !== "saved") throw new Error(saved.kind);
    return saved.presetId;
  }

  const fallbacks = async () => {
    const presets = await site.database.prisma.preset.findMany({
      where: { portalId },
      orderBy: { name: "asc" },
    });
    return presets.map(({ policy }) => (policy as unknown as Policy).fallback.toDefaultSender);
  };

  async function save(fields: string[][]): Promise<BrowserAnswer> {
    const page = (await browser.get("/settings")).text;
    const form = page.slice(page.indexOf(`id="sender-title"`));
    return browser.post("/settings/default-sender", [
      ["form_token", hiddenField(form, "form_token")],
      ["version", hiddenField(form, "version")],
      ...fields,
    ]);
  }

  test("is made the fallback of presets that do not come to it, with the same save", async () => {
    await addUser(7n, "Miguel");
    const [first, second] = [await addPreset("House rules"), await addPreset("Webinar")];
    const page = (await browser.get("/settings")).text;
    expect(page).toContain("Also use it as the fallback in");
    expect(page).toContain("All 2 presets");
    const before = await site.database.prisma.auditEntry.count({ where: { portalId } });
    await save([
      ["sender_user_id", "7"],
      ["fallback_in", `${first}-1`],
    ]);
    expect(await fallbacks()).toEqual([true, false]);
    // The default sender, and the preset.
    expect(await site.database.prisma.auditEntry.count({ where: { portalId } })).toBe(before + 2);
    await site.database.prisma.preset.updateMany({ where: { presetId: second }, data: { version: 9 } });
    const late = await save([
      ["sender_user_id", "7"],
      ["fallback_in", `${second}-1`],
    ]);
    expect(late.status).toBe(303);
    expect((await browser.get("/settings")).text).toContain("left as they are: Webinar.");
    await save([
      ["sender_user_id", "7"],
      ["fallback_in_all", "yes"],
    ]);
    expect(await fallbacks()).toEqual([true, true]);
    expect((await browser.get("/settings")).text).not.toContain("Also use it as the fallback in");
  });
});
