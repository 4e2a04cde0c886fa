import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { seedAccount, type DemoAccount } from "../../src/bin/demo-account.js";
import { decidePolicy } from "../../src/bin/demo-policy.js";
import { addFlows, runBoth } from "../../src/bin/demo-workflows.js";
import { browserSuite, launchChromium, openTab, tabTo, type Tab } from "../support/chromium.js";
import { startRunningApp, type RunningApp } from "../support/start-app.js";

/** Far more than the demo's contacts need: the pace is what other tests are about. */
const REQUESTS = 1_000;

const suite = browserSuite("the way from the install to a contact that is enrolled after all");

/** The demo's account and its two workflows, a real worker, and an admin who goes all the way in the browser. */
suite("an admin installs the app, asks why a contact was not enrolled, and has it enrolled after all", () => {
  let browser: Browser;
  let running: RunningApp;
  let account: DemoAccount;

  beforeAll(async () => {
    browser = await launchChromium();
    running = await startRunningApp({
      simulator: { rateLimit: { requests: REQUESTS, windowMs: 10_000 } },
      environment: { HUBSPOT_RATE_LIMIT: String(REQUESTS) },
    });
    account = seedAccount(running.simulator);
  });

  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  /** Without what is of HubSpot's pages, and without the browser's own report that the first page asks to sign in. */
  const ours = (complaints: readonly string[]) =>
    complaints.filter((text) => text.includes(running.publicUrl) && !text.includes("401"));

  const executions = () => running.db.database.prisma.execution;

  /** Contacts of the demo that were turned down for the reason, in the order in which they reached the step. */
  const turnedDownFor = (errorCode: string) =>
    executions().findMany({ where: { errorCode }, orderBy: { id: "asc" } });

  async function visitor(options: BrowserContextOptions = {}): Promise<Tab> {
    const tab = await openTab(browser, options);
    await tab.page.goto(`${running.publicUrl}/settings`);
    return tab;
  }

  const untilOverview = (page: Page) => page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  /** As a colleague does in HubSpot: the contact gets an owner who can send. */
  function giveOwner(contactId: string): void {
    const [rep] = account.people.reps;
    const { ownerId } = account.portal.ownerOfUser(rep?.userId ?? 0);
    account.portal.contact(contactId).properties["hubspot_owner_id"] = ownerId;
  }

  /** The retry's row, once the worker has enrolled the contact and stored so. */
  async function enrolledRetryOf(id: bigint): Promise<void> {
    const endsAt = Date.now() + 60_000;
    while ((await executions().count({ where: { retryOf: id, enrollmentStatus: "ENROLLED" } })) === 0) {
      if (Date.now() > endsAt) throw new Error(`the retry of execution ${id} did not enroll`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function expectReason(page: Page, code: string): Promise<void> {
    await page.getByRole("region", { name: "Reason" }).waitFor();
    expect(await page.textContent("main")).toContain(code);
  }

  /** What the account's workflows do once the app is there. */
  async function runWorkflows(): Promise<void> {
    const policy = await decidePolicy(running.db.database, account);
    addFlows(account, policy);
    const stage = { simulator: running.simulator, account, publicUrl: running.publicUrl };
    const runs = await runBoth(stage, policy);
    await Promise.all([runs.outbound.finished, runs.inbound.finished]);
  }

  test("by the keyboard alone", async () => {
    const { page, complaints, close } = await visitor();
    const press = async (role: "link" | "button", name: string | RegExp): Promise<void> => {
      await tabTo(page, page.getByRole(role, { name }).first());
      await page.keyboard.press("Enter");
    };
    await press("link", "Install Sequence Enroller in HubSpot");
    await page.waitForURL(`${running.simulator.url}/**`);
    await tabTo(page, page.getByLabel("Account and user"));
    // From the last to the first, who is the admin.
    await page.keyboard.press("End");
    await page.keyboard.press("Home");
    await press("button", "Connect app");
    await untilOverview(page);

    await runWorkflows();
    await press("link", "Overview");
    await press("link", /: no owner/);
    await page.waitForURL("**/settings/activity?*code=OWNER_MISSING*");
    const [failed] = await turnedDownFor("OWNER_MISSING");
    const { id, contactId, contactEmail } = failed!;
    const row = page.getByRole("row", { name: contactEmail ?? contactId });
    await tabTo(page, row.locator(`#story-${id}`));
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/settings/activity/${id}?*`);
    expect(await page.textContent("main")).toContain(contactEmail);
    await expectReason(page, "OWNER_MISSING");

    giveOwner(contactId);
    await press("button", "Retry");
    await page.waitForURL("**/settings/activity/*?done=retry");
    await enrolledRetryOf(id);
    await press("link", "Activity");
    await page.waitForURL("**/settings/activity");
    await tabTo(page, page.locator("#filter-q"));
    await page.keyboard.type(contactEmail ?? contactId);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/settings/activity?*q=*");
    const [visit] = await page.getByRole("row", { name: contactEmail ?? contactId }).allTextContents();
    expect(visit).toMatch(/Retried .*: enrolled/);
    expect(ours(complaints)).toEqual([]);
    await close();
  });

  test("by mouse with script off", async () => {
    const { page, close } = await visitor({ javaScriptEnabled: false });
    await page.getByRole("link", { name: "Sign in with HubSpot" }).click();
    const { portalId, admin } = account.portal;
    await page.getByLabel("Account and user").selectOption(`${portalId}:${admin.userId}`);
    await page.getByRole("button", { name: "Connect app" }).click();
    await untilOverview(page);

    const failed = (await turnedDownFor("OWNER_MISSING")).at(-1)!;
    await page.getByRole("link", { name: ": no owner" }).click();
    await page.locator(`#story-${failed.id}`).click();
    await expectReason(page, "OWNER_MISSING");
    giveOwner(failed.contactId);
    await page.getByRole("button", { name: "Retry" }).click();
    await page.waitForURL("**/settings/activity/*?done=retry");
    await enrolledRetryOf(failed.id);
    await page.reload();
    const retries = page.getByRole("region", { name: "Retries" });
    expect(await retries.textContent()).toMatch(/: Enrolled$/);
    await close();
  });

  test("learns in three clicks from the overview why a named contact was not enrolled, whatever the reason", async () => {
    const { page, complaints, close } = await visitor();
    await page.getByRole("link", { name: "Sign in with HubSpot" }).click();
    await page.getByRole("button", { name: "Connect app" }).click();
    const codes = await executions().groupBy({ by: ["errorCode"], where: { errorCode: { not: null } } });
    expect(codes.length).toBeGreaterThan(8);
    for (const { errorCode } of codes) {
      const [turnedDown] = await turnedDownFor(errorCode ?? "");
      const { id, contactId, contactEmail } = turnedDown!;
      await page.goto(`${running.publicUrl}/settings`);
      await page.getByLabel("Find a contact").fill(contactEmail ?? contactId);
      await page.getByRole("button", { name: "Search" }).click();
      await page.locator(`#story-${id}`).click();
      await expectReason(page, errorCode ?? "");
    }
    expect(ours(complaints)).toEqual([]);
    await close();
  });
});
