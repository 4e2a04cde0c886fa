import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { seedAccount, type DemoAccount } from "../../src/bin/demo-account.js";
import { decidePolicy } from "../../src/bin/demo-policy.js";
import { addFlows, runBoth } from "../../src/bin/demo-workflows.js";
import { browserSuite, launchChromium, openTab, type Tab } from "../support/chromium.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const suite = browserSuite("an admin's seven questions");

/** Whatever an admin presses, ticks or chooses counts; typing in a field that the page brings along does not. */
class Clicks {
  count = 0;
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async click(selector: string): Promise<void> {
    this.count += 1;
    await this.page.click(selector);
    await this.page.waitForLoadState("load");
  }

  async choose(selector: string, label: string | RegExp): Promise<void> {
    this.count += 1;
    const options = await this.page.locator(`${selector} option`).allTextContents();
    const found = options.find((option) =>
      typeof label === "string" ? option.includes(label) : label.test(option),
    );
    await this.page.selectOption(selector, { label: found ?? "" });
  }

  async type(selector: string, text: string): Promise<void> {
    this.count += 1;
    await this.page.fill(selector, text);
  }
}

suite("an admin of the demo's account answers in a browser, within this many clicks", () => {
  let browser: Browser;
  let running: RunningApp;
  let account: DemoAccount;
  let tab: Tab;

  beforeAll(async () => {
    running = await startRunningApp();
    account = seedAccount(running.simulator);
    await running.install(account.portal);
    const policy = await decidePolicy(running.db.database, account);
    const { publicUrl, simulator } = running;
    addFlows(account, policy);
    const runs = await runBoth({ simulator, account, publicUrl }, policy);
    await Promise.all([runs.outbound.finished, runs.inbound.finished]);
    browser = await launchChromium();
    tab = await signIn(account.portal);
    // They were read when the account was connected, before the demo made its own.
    await tab.page.goto(`${running.publicUrl}/settings/workflows`);
    await tab.page.click("button >> text=Sync now");
    await untilFlowsAreRead();
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  async function untilFlowsAreRead(): Promise<void> {
    const isRead = () => running.db.database.prisma.flow.count({ where: { name: "Outbound" } });
    for (let tries = 0; (await isRead()) === 0; tries += 1) {
      if (tries > 600) throw new Error("the workflows were not read");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function signIn(portal: DemoAccount["portal"]): Promise<Tab> {
    running.simulator.setAutoConsent({ portalId: portal.portalId, userId: portal.admin.userId });
    const opened = await openTab(browser, { viewport: { width: 1360, height: 900 } });
    await opened.page.goto(`${running.publicUrl}/settings/sign-in`);
    await opened.page.waitForURL(`${running.publicUrl}/settings`);
    return opened;
  }

  async function from(path: string): Promise<Clicks> {
    await tab.page.goto(`${running.publicUrl}${path}`);
    return new Clicks(tab.page);
  }

  const words = async (page: Page) => (await page.locator("main").innerText()).replaceAll(/\s+/g, " ");

  test("whether yesterday's leads of a workflow were enrolled, and why not: 2", async () => {
    // As if the workflow had run a day ago.
    await running.db.database.pool.query(
      `UPDATE executions SET accepted_at = accepted_at - interval '1 day', decided_at = decided_at - interval '1 day'
        WHERE workflow_id = (SELECT workflow_id FROM flows WHERE name = 'Outbound')`,
    );
    const clicks = await from("/settings");
    await clicks.click(".menu.beside >> text=Workflows");
    await clicks.click(`a[aria-label="Yesterday's contacts of Outbound"]`);
    const text = await words(tab.page);
    expect(text).toMatch(/\d+ results · \d+ enrolled/);
    expect(text).toContain("daily cap reached");
    expect(text).toContain("Workflow: Outbound");
    expect(clicks.count).toBe(2);
    await running.db.database.pool.query(
      `UPDATE executions SET accepted_at = accepted_at + interval '1 day', decided_at = decided_at + interval '1 day'
        WHERE workflow_id = (SELECT workflow_id FROM flows WHERE name = 'Outbound')`,
    );
  }, 60_000);

  test("why one person was not enrolled, and what to do: 2", async () => {
    const { rows } = await running.db.database.pool.query<{ email: string }>(
      `SELECT contact_email AS email FROM executions WHERE error_code = 'SENDER_LIMIT_REACHED' LIMIT 1`,
    );
    const clicks = await from("/settings");
    await tab.page.fill("#find-contact", rows[0]!.email);
    await clicks.click(".find button");
    await clicks.click("tbody tr a[id^=story-]");
    const text = await words(tab.page);
    expect(text).toMatch(/has used (?:his|her|their|its)? ?daily cap|daily cap/i);
    expect(text).toMatch(/Raise .*'s cap/);
    expect(clicks.count).toBe(2);
  }, 60_000);

  test("a new rep in the rotation at half weight, off on Fridays: 7", async () => {
    const rep = account.people.cappedOutbound;
    const clicks = await from("/settings");
    await clicks.click(".menu.beside >> text=Rotations");
    await clicks.click("text=Inbound desk");
    await clicks.choose("#new_member", rep.lastName);
    await clicks.click("button[name=add]");
    await clicks.type(`#weight_${rep.userId}`, "0.5");
    await clicks.click(`input[name=days_${rep.userId}][value="5"]`);
    await clicks.click("button.primary >> text=Save");
    expect(await words(tab.page)).toContain("Saved rotation Inbound desk.");
    expect(clicks.count).toBe(7);
    const sender = await running.db.database.prisma.senderSettings.findFirstOrThrow({
      where: { userId: BigInt(rep.userId) },
    });
    expect(sender.windowDays).toEqual([1, 2, 3, 4, 6, 7]);
  }, 60_000);

  test("one fallback sender for all workflows, with a list of what changes: 3", async () => {
    const clicks = await from("/settings");
    await clicks.choose("#sender", account.people.reps[0]!.lastName);
    await clicks.click("#fallback_in_all");
    await clicks.click("section[aria-labelledby=sender-title] button.primary");
    const text = await words(tab.page);
    expect(text).toContain("Default sender is now");
    expect(text).toMatch(/Used by \d+ workflows: .*Outbound/);
    expect(clicks.count).toBe(3);
  }, 60_000);

  test("what a sender's lost inbox affects: 1", async () => {
    const clicks = await from("/settings");
    await clicks.click('.causes a:has-text("inbox not connected")');
    const text = await words(tab.page);
    expect(text).toContain("Impact, last 7 days");
    expect(text).toMatch(/\d+ contacts? not enrolled/);
    expect(text).toContain("Used in");
    expect(clicks.count).toBe(1);
  }, 60_000);

  test("everything paused, from any page, and seen on that page: 2", async () => {
    const clicks = await from("/settings/senders");
    await clicks.click(".pause-menu summary");
    await clicks.click(".pause-menu button");
    expect(await words(tab.page)).toContain("Enrollment was paused");
    expect(new URL(tab.page.url()).pathname).toBe("/settings/senders");
    expect(clicks.count).toBe(2);
    await tab.page.click("button >> text=Resume");
  }, 60_000);

  test("how to begin: five steps, of which three are done where HubSpot has people and a workflow with the action", async () => {
    const empty = addPlainPortal(running.simulator, { contacts: 1 });
    await running.install(empty);
    const fresh = await signIn(empty);
    await fresh.page.waitForSelector("#setup >> text=3 of 5 done", { timeout: 30_000 });
    const clicks = new Clicks(fresh.page);
    await clicks.choose("#setup-sender", empty.admin.lastName);
    await clicks.click("#setup >> text=Save");
    expect(await words(fresh.page)).toContain("4 of 5 done");
    expect(clicks.count).toBe(2);
    await fresh.close();
  }, 60_000);
});
