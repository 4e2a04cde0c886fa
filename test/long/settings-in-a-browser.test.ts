import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Browser, BrowserContextOptions } from "playwright-core";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { UNKIND_WORLD } from "../../src/simulator/world/presets.js";
import {
  findBarriers,
  browserSuite,
  launchChromium,
  openTab,
  sidewaysScroll,
  type Tab,
} from "../support/chromium.js";
import { seedExecutions } from "../support/executions.js";
import { startListener, type Listener } from "../support/simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const suite = browserSuite("the settings page");

suite("an admin at the settings page in a real browser", () => {
  let browser: Browser;
  let running: RunningApp;
  let portal: SimulatedPortal;
  let webhook: Listener;

  beforeAll(async () => {
    webhook = await startListener(() => 204);
    running = await startRunningApp({
      simulator: UNKIND_WORLD,
      environment: { PRIVATE_DESTINATIONS: new URL(webhook.url).host },
    });
    portal = addPlainPortal(running.simulator, { timeZone: "America/Argentina/Buenos_Aires" });
    browser = await launchChromium();
    await running.install(portal);
    running.simulator.setAutoConsent({ portalId: portal.portalId, userId: portal.admin.userId });
    await untilDirectoryIsRead();
    await fillPage();
  });

  afterAll(async () => {
    await browser?.close();
    await running?.close();
    await webhook?.close();
  });

  /** After that the worker leaves the portal alone, and what the tests store stays as it is. */
  async function untilDirectoryIsRead(): Promise<void> {
    const endsAt = Date.now() + 15_000;
    const where = { portalId: BigInt(portal.portalId) };
    while ((await running.db.database.prisma.portal.findUnique({ where }))?.directorySyncedAt == null) {
      if (Date.now() > endsAt) throw new Error("the directory was not read");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Something of everything the page can show, some of it long. */
  async function fillPage(): Promise<void> {
    const portalId = BigInt(portal.portalId);
    const { prisma } = running.db.database;
    const long = {
      contactEmail: `${"long.".repeat(10)}name@${"very.".repeat(8)}far.example`,
      sequenceName: "Outbound EMEA ".repeat(6),
    };
    await seedExecutions(running.db.database, [
      { portalId, enrollmentStatus: "ENROLLED", senderEmail: "ada@acme.example", ...long },
      { portalId, enrollmentStatus: "ALREADY_ENROLLED", contactEmail: "two@acme.example" },
      { portalId, enrollmentStatus: "SKIPPED", contactEmail: "three@acme.example" },
      {
        portalId,
        enrollmentStatus: "FAILED",
        errorCode: "HUBSPOT_REJECTED",
        errorMessage: "HubSpot refused to enroll the contact.",
        lastProblem: `400 ${"x".repeat(200)}`,
      },
    ]);
    const circuit = {
      circuitTrips: 2,
      circuitReason: "HubSpot is unavailable (503)",
      circuitOpenedAt: new Date(),
    };
    const circuitOpenUntil = new Date(Date.now() + 600_000);
    await prisma.portalDrain.update({ where: { portalId }, data: { ...circuit, circuitOpenUntil } });
    await prisma.portalSettings.create({
      data: { portalId, alertWebhookUrl: `${webhook.url}/alerts`, version: 1 },
    });
  }

  async function visit(options: BrowserContextOptions = {}): Promise<Tab> {
    const tab = await openTab(browser, options);
    await tab.page.goto(`${running.publicUrl}/settings/sign-in`);
    await tab.page.waitForURL(`${running.publicUrl}/settings`);
    return tab;
  }

  test("is led from a refused form to the field that has to change, and told what to do", async () => {
    const { page, complaints, close } = await visit({ colorScheme: "dark" });
    expect(await page.textContent("#hubspot-trouble")).toContain("HubSpot isn't responding.");
    await page.goto(`${running.publicUrl}/settings/alerts`);
    await page.fill("#webhook_url", "https://user:secret@acme.example/");
    await page.click("#alerts-form >> text=Save");
    expect(await page.textContent("#webhook_url-problem")).toContain("must not contain a user name");
    expect(await page.evaluate("document.activeElement.id")).toBe("webhook_url");
    expect(await findBarriers(page)).toEqual([]);
    await page.goto(`${running.publicUrl}/settings/senders/${portal.admin.userId}`);
    await page.fill("#daily_cap", "1001");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#daily_cap-problem");
    await page.click("[role=alert] a");
    expect(await page.evaluate("document.activeElement.id")).toBe("daily_cap");
    expect(await findBarriers(page)).toEqual([]);
    // The browser itself reports the refused form's status; anything else would be ours.
    expect(complaints.filter((text) => !text.includes("422"))).toEqual([]);
    await close();
  });

  test("makes a rotation and a preset that names it with script off", async () => {
    const { page, close } = await visit({ javaScriptEnabled: false });
    await page.goto(`${running.publicUrl}/settings/rotations`);
    await page.click("text=New rotation");
    await page.fill("#name", "DACH team");
    await page.selectOption("#new_member", String(portal.admin.userId));
    await page.click('button:text-is("Add")');
    await page.fill(`#weight_${portal.admin.userId}`, "3");
    // Enter in a field saves; it does not press "Remove" or "Add".
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Saved rotation");
    await page.click(".beside nav >> text=Presets");
    await page.click("text=New preset");
    await page.fill("#name", "Outbound");
    await page.selectOption("#sender_mode", "rotation");
    await page.selectOption("#sender_rotation_id", { label: "DACH team" });
    await page.click('main button:text-is("Save")');
    await page.waitForSelector("text=Saved preset");
    await page.click(".beside nav >> text=Rotations");
    await page.click("main >> text=DACH team");
    await page.click("text=Delete this rotation");
    await page.click('button:text-is("Delete")');
    await page.waitForSelector("text=Can't delete:");
    await close();
  });

  test("sees contacts come and go without reloading", async () => {
    const { page, complaints, close } = await visit();
    await page.evaluate("window.stayed = true");
    const portalId = BigInt(portal.portalId);
    expect(await page.textContent("#waiting")).toContain("No contacts waiting.");
    await seedExecutions(running.db.database, [{ portalId, contactId: "9001" }]);
    await page.waitForSelector("#waiting >> text=1 contact waiting", { timeout: 15_000 });
    expect(await page.evaluate("window.stayed")).toBe(true);
    await running.db.database.prisma.execution.deleteMany({ where: { portalId, contactId: "9001" } });
    expect(complaints).toEqual([]);
    await close();
  });

  test("sends a test alert and sees it delivered without reloading", async () => {
    const { page, complaints, close } = await visit();
    await page.goto(`${running.publicUrl}/settings/alerts`);
    await page.click("text=Send test webhook");
    await page.waitForSelector("text=Test sent.");
    await page.waitForSelector("#last-alert >> text=delivered");
    expect(JSON.parse(webhook.received[0]?.body ?? "{}")).toMatchObject({ kind: "TEST" });
    expect(complaints).toEqual([]);
    await close();
  });

  test("does all of it with script off", async () => {
    // One of an earlier test a moment ago would be reason enough to send no other.
    await running.db.database.prisma.alert.deleteMany();
    const { page, close } = await visit({ javaScriptEnabled: false });
    await page.click(".figure.enrolled");
    await page.waitForURL(/\/settings\/activity\?(?=.*status=enrolled)(?=.*decided=)/);
    expect(await page.locator("#executions tbody tr").count()).toBe(1);
    await page.goto(`${running.publicUrl}/settings/alerts`);
    await page.fill("#webhook_url", "words");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#webhook_url-problem");
    expect(await page.inputValue("#webhook_url")).toBe("words");
    await page.fill("#webhook_url", "https://acme.example/alerts");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=Alert settings saved.");
    await page.click("text=Send test webhook");
    await page.waitForSelector("text=Test sent.");
    await page.click("text=Sign out");
    await page.waitForSelector("text=Sign in with HubSpot");
    expect(await sidewaysScroll(page)).toBe(0);
    await close();
  });

  test.each([320, 390, 1360])("is asked about a pause inside the page, %i pixels wide", async (width) => {
    const { page, close } = await visit({ viewport: { width, height: 800 } });
    await page.locator(".pause-menu summary").click();
    const question = await page.locator(".pause-menu form").boundingBox();
    expect(question?.x).toBeGreaterThanOrEqual(0);
    expect((question?.x ?? 0) + (question?.width ?? 0)).toBeLessThanOrEqual(width);
    expect(await sidewaysScroll(page)).toBe(0);
    await close();
  });

  test("meets no barrier at the sign-in page or at the page of a disconnected account", async () => {
    const stranger = await openTab(browser, { colorScheme: "dark", viewport: { width: 320, height: 640 } });
    await stranger.page.goto(`${running.publicUrl}/settings`);
    expect(await findBarriers(stranger.page)).toEqual([]);
    expect(await sidewaysScroll(stranger.page)).toBe(0);
    await stranger.close();

    const { page, close } = await visit({ viewport: { width: 320, height: 640 } });
    const { prisma } = running.db.database;
    await seedExecutions(running.db.database, [{ portalId: BigInt(portal.portalId) }]);
    await prisma.portal.updateMany({
      data: { status: "DISCONNECTED", disconnectedReason: "The app was uninstalled." },
    });
    await page.reload();
    expect(await page.textContent("main")).toContain("Contacts waiting: 1.");
    expect(await findBarriers(page)).toEqual([]);
    expect(await sidewaysScroll(page)).toBe(0);
    await close();
  });
});
