import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { browserSuite, launchChromium, openTab, type Tab } from "../support/chromium.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

/** Where the README's pictures are kept, if anywhere. */
const PICTURES = process.env["SITE_PICTURES"];

const suite = browserSuite("the way to a reason");

suite("a new admin, after a workflow sent its contacts, asks why one was not enrolled", () => {
  let browser: Browser;
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, {
      contacts: 60,
      troubles: {
        "no-owner": 4,
        "owner-without-inbox": 2,
        unsubscribed: 3,
        bounced: 1,
        "already-enrolled": 3,
      },
    });
    browser = await launchChromium();
    await running.install(portal);
    running.simulator.setAutoConsent({ portalId: portal.portalId, userId: portal.admin.userId });
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    if (PICTURES !== undefined) await spreadOverTheDay();
  });

  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  /** So that the chart of the pictures shows more than the one minute the run took. */
  async function spreadOverTheDay(): Promise<void> {
    await running.db.database.pool.query(
      `UPDATE executions SET accepted_at = accepted_at - shift, decided_at = decided_at - shift,
              enrolled_at = enrolled_at - shift, completed_at = completed_at - shift,
              first_attempt_at = first_attempt_at - shift
         FROM (SELECT id AS of, (id * 37 % 1320) * interval '1 minute' AS shift FROM executions) AS earlier
        WHERE id = of`,
    );
  }

  async function signIn(): Promise<Tab> {
    const tab = await openTab(browser, { viewport: { width: 1280, height: 1060 } });
    await tab.page.goto(`${running.publicUrl}/settings/sign-in`);
    await tab.page.waitForURL(`${running.publicUrl}/settings`);
    return tab;
  }

  async function keep(page: Page, name: string): Promise<void> {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
  }

  /** The address of somebody who has no owner to send from. */
  async function nameOfOneWithoutOwner(): Promise<string> {
    const { prisma } = running.db.database;
    const found = await prisma.execution.findFirstOrThrow({ where: { errorCode: "OWNER_MISSING" } });
    return found.contactEmail ?? "";
  }

  test("and knows after two clicks, by the reason", async () => {
    const name = await nameOfOneWithoutOwner();
    const { page, complaints, close } = await signIn();
    await keep(page, "overview");
    await page.locator(".causes li", { hasText: "No owner" }).getByRole("link").first().click();
    await page.waitForURL("**/settings/activity?*code=OWNER_MISSING*");
    expect(await page.locator("#executions tbody tr").count()).toBe(4);
    await page.click(`#executions tr:has-text("${name}") a[href^="/settings/activity/"]`);
    await expectStoryOf(page, name);
    await keep(page, "story");
    expect(complaints).toEqual([]);
    await close();
  });

  test("and knows after two clicks, by the contact's address", async () => {
    const name = await nameOfOneWithoutOwner();
    const { page, close } = await signIn();
    await page.fill("#find-contact", name);
    await page.click('button:has-text("Search")');
    await page.waitForURL("**/settings/activity?q=*");
    expect(await page.locator("#executions tbody tr").count()).toBe(1);
    await page.click('#executions tbody a[href^="/settings/activity/"]');
    await expectStoryOf(page, name);
    await page.goto(`${running.publicUrl}/settings/senders`);
    await keep(page, "senders");
    await close();
  });

  /** What happened, why, and what to do. */
  async function expectStoryOf(page: Page, name: string): Promise<void> {
    await page.waitForSelector(".story");
    expect(await page.textContent("h1")).toContain(name);
    const reason = await page.textContent(".notice");
    expect(reason).toContain("The contact has no owner");
    expect(await page.textContent("main details:has-text('Technical details')")).toContain("OWNER_MISSING");
    expect(await page.locator("button", { hasText: "Retry" }).count()).toBe(1);
  }
});
