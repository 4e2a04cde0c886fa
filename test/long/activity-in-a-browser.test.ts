import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, BrowserContextOptions } from "playwright-core";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { UNKIND_WORLD } from "../../src/simulator/world/presets.js";
import { browserSuite, launchChromium, openTab, type Tab } from "../support/chromium.js";
import { seedExecutions } from "../support/executions.js";
import { letInstallersIn } from "../support/site.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const suite = browserSuite("the activity pages");
suite("an admin at the activity pages in a real browser", () => {
  let browser: Browser;
  let running: RunningApp;
  let portal: SimulatedPortal;
  let portalId: bigint;

  beforeAll(async () => {
    // Without a worker: what the tests store stays as it is.
    running = await startRunningApp({ simulator: UNKIND_WORLD, environment: { ROLE: "web" } });
    portal = addPlainPortal(running.simulator, { timeZone: "America/Argentina/Buenos_Aires" });
    portalId = BigInt(portal.portalId);
    browser = await launchChromium();
    await running.install(portal);
    await letInstallersIn(running.db.database);
    running.simulator.setAutoConsent({ portalId: portal.portalId, userId: portal.admin.userId });
    await fillPages();
  });

  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  /** Something of everything the pages can show, some of it long or hostile. */
  async function fillPages(): Promise<void> {
    const { prisma } = running.db.database;
    const at = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const long = `\u202E<script>${"Outbound".repeat(1_250)}`;
    await prisma.sequence.create({ data: { portalId, sequenceId: "31", name: long, isListed: true } });
    const ann = { firstName: "Ann", lastName: "Lee", email: "ann@acme.example", superAdmin: false };
    await prisma.user.create({ data: { portalId, userId: 7n, ...ann, seatNames: [], isListed: true } });
    await seedExecutions(running.db.database, [
      {
        portalId,
        enrollmentStatus: "ENROLLED",
        contactEmail: "ada@acme.example",
        senderEmail: ann.email,
        decidedAt: at(9),
        acceptedAt: at(9),
      },
      {
        portalId,
        enrollmentStatus: "ENROLLED",
        contactEmail: `${long}@x.example`,
        sequenceId: "31",
        senderEmail: ann.email,
        decidedAt: at(8),
        acceptedAt: at(8),
      },
      { portalId, contactEmail: "waits@acme.example", acceptedAt: at(7), workflowId: "5501" },
      {
        portalId,
        kind: "CHECK_ENROLLMENT",
        state: "COMPLETED",
        contactEmail: "checked@acme.example",
        decidedAt: at(6),
        acceptedAt: at(6),
      },
      {
        portalId,
        contactId: "151",
        contactEmail: "refused@acme.example",
        workflowId: "5501",
        sequenceId: "77",
        attempts: 2,
        enrollmentStatus: "FAILED",
        errorCode: "INBOX_NOT_CONNECTED",
        acceptedAt: at(5),
        decidedAt: at(4),
        senderEmail: ann.email,
        errorMessage:
          "The sender has no connected personal inbox. The user must connect one in HubSpot's settings.",
        lastProblem: "400 NO_CONNECTED_EMAILS",
        request: { senderMode: "contact_owner", ifAlreadyEnrolled: "skip" },
        senderChoice: {
          chosen: { userId: "7", via: "fallback_rotation", rotationName: "EMEA reps" },
          passedOver: [
            { via: "contact_owner", code: "OWNER_MISSING", reason: "The contact has no owner." },
            {
              userId: "8",
              via: "fallback_rotation",
              code: "SENDER_LIMIT_REACHED",
              reason: "The sender has reached the daily cap.",
              freeAt: "2026-11-22T08:00:00Z",
            },
          ],
        },
      },
    ]);
  }

  async function visit(path: string, options: BrowserContextOptions = {}): Promise<Tab> {
    const tab = await openTab(browser, options);
    await tab.page.goto(`${running.publicUrl}/settings/sign-in`);
    await tab.page.waitForURL(`${running.publicUrl}/settings`);
    await tab.page.goto(`${running.publicUrl}/settings/activity${path}`);
    return tab;
  }

  test("finds why a named contact was not enrolled, and has it tried again, with script off", async () => {
    const { page, close } = await visit("", { javaScriptEnabled: false });
    await page.fill("#filter-q", "refused@");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/settings/activity?*q=refused%40*");
    expect(await page.locator("tbody tr").count()).toBe(1);
    await page.click('tbody tr a[href^="/settings/activity/"]');
    await page.waitForSelector("text=The user must connect one in HubSpot");
    expect(await page.textContent(".story")).toContain("Skipped:");
    await page.click('button:has-text("Retry")');
    await page.waitForSelector("text=Retrying. The result appears below.");
    expect(await page.textContent("main")).toContain("Retries");
    await close();
  });

  test("sees what comes in without reloading, and a bulk job's end", async () => {
    const { page, complaints, close } = await visit("?status=failed");
    await page.evaluate("window.stayed = true");
    await seedExecutions(running.db.database, [
      { portalId, enrollmentStatus: "FAILED", contactEmail: "late@acme.example" },
    ]);
    await page.waitForSelector("text=late@", { timeout: 15_000 });
    await page.goto(`${running.publicUrl}/settings/activity/bulk?action=cancel`);
    await page.click("button.primary");
    await page.waitForSelector("#job-title >> text=In progress");
    const worker = await running.startAnother({ ROLE: "worker" });
    await page.waitForSelector("#job-title >> text=Done", { timeout: 15_000 });
    await worker.close({ graceMs: 1_000 });
    expect(complaints).toEqual([]);
    await close();
  });
});
