import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { SITE_PAGES } from "../../src/admin/frame/navigation.js";
import { INITIAL_POLICY } from "../../src/policy/policy.js";
import { savePreset } from "../../src/policy/preset-store.js";
import { createRotation } from "../../src/policy/rotation-store.js";
import type { SimulatedPortal } from "../../src/simulator/portal/portal.js";
import {
  findBarriers,
  browserSuite,
  launchChromium,
  openTab,
  sidewaysScroll,
  type Tab,
} from "../support/chromium.js";
import { seedExecutions, type ExecutionSeed } from "../support/executions.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

/** Every page of the site that a person can open by the menu. */
const MENU_PAGES: readonly string[] = SITE_PAGES.map(({ path }) => path);

/** Written by somebody who means no good: markup, right to left, and far too long. */
const HOSTILE = `<script>alert("name")</script> \u202Egnol ${"verylong".repeat(1_250)}`;

/** Where pictures of all pages are kept, if anywhere: for looking at, and for the README. */
const PICTURES = process.env["SITE_PICTURES"];

const suite = browserSuite("every settings page");

suite("every page of the settings site in a real browser", () => {
  let browser: Browser;
  let running: RunningApp;
  let portal: SimulatedPortal;
  /** Those of the menu, and those a person gets to from them. */
  let pages: string[];

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { timeZone: "America/Argentina/Buenos_Aires" });
    browser = await launchChromium();
    await running.install(portal);
    running.simulator.setAutoConsent({ portalId: portal.portalId, userId: portal.admin.userId });
    await untilDirectoryIsRead();
    await fillPortal();
    pages = [...MENU_PAGES, ...(await furtherPages())];
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  async function untilDirectoryIsRead(): Promise<void> {
    const endsAt = Date.now() + 15_000;
    const where = { portalId: BigInt(portal.portalId) };
    while ((await running.db.database.prisma.portal.findUnique({ where }))?.directorySyncedAt == null) {
      if (Date.now() > endsAt) throw new Error("the directory was not read");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A month of a portal at work, with names that mean no good. */
  async function fillPortal(): Promise<void> {
    const portalId = BigInt(portal.portalId);
    const { prisma } = running.db.database;
    const [sequence, other] = await prisma.sequence.findMany({ where: { portalId }, take: 2 });
    await prisma.sequence.updateMany({
      where: { portalId, sequenceId: other?.sequenceId ?? "" },
      data: { name: HOSTILE },
    });
    const senders = [...portal.users.values()].slice(0, 3);
    const outcomes: Partial<ExecutionSeed>[] = [
      ...Array.from({ length: 7 }, () => ({ enrollmentStatus: "ENROLLED" })),
      { enrollmentStatus: "ALREADY_ENROLLED" },
      { enrollmentStatus: "SKIPPED", errorCode: "COOLDOWN_ACTIVE" },
      { enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING", errorMessage: "The contact has no owner." },
      { enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED", errorMessage: "No inbox." },
    ];
    const seeds = Array.from({ length: 600 }, (_, index): ExecutionSeed => {
      const acceptedAt = new Date(Date.now() - ((index * 7_919) % 43_000) * 60_000 - 60_000);
      const outcome = outcomes[(index * 5) % outcomes.length];
      return {
        portalId,
        contactEmail: `contact-${index}@acme.example`,
        sequenceId: (index % 3 === 0 ? other : sequence)?.sequenceId ?? null,
        senderUserId: BigInt(senders[index % senders.length]?.userId ?? 1),
        workflowId: String(51_000 + (index % 4)),
        acceptedAt,
        decidedAt: new Date(acceptedAt.getTime() + 4_000 + (index % 50) * 900),
        ...outcome,
        ...(outcome?.enrollmentStatus === "ENROLLED"
          ? { enrolledAt: new Date(acceptedAt.getTime() + 4_000 + (index % 50) * 900) }
          : {}),
      };
    });
    const circuit = {
      circuitTrips: 2,
      circuitReason: "HubSpot is unavailable (503)",
      circuitOpenedAt: new Date(),
    };
    await prisma.portalDrain.update({
      where: { portalId },
      data: { ...circuit, circuitOpenUntil: new Date(Date.now() + 600_000) },
    });
    await prisma.portalSettings.create({
      data: {
        portalId,
        alertWebhookUrl: "https://hooks.acme.example/alerts",
        alertFailurePercent: 20,
        version: 1,
      },
    });
    await prisma.senderSettings.create({
      data: { portalId, userId: BigInt(senders[0]?.userId ?? 1), dailyCap: 4, windowDays: [] },
    });
    await prisma.portalAdmin.create({ data: { portalId, userId: BigInt(senders[1]?.userId ?? 1) } });
    await seedExecutions(running.db.database, seeds);
    await seedExecutions(running.db.database, [{ portalId, acceptedAt: new Date(Date.now() - 7_200_000) }]);
    await seedExecutions(running.db.database, [refusedContact(portalId)]);
    await decidePolicy(portalId);
  }

  /** One with everything a story can tell. */
  function refusedContact(portalId: bigint): ExecutionSeed {
    const senders = [...portal.users.values()].slice(1, 3).map(({ userId }) => String(userId));
    return {
      ...{
        portalId,
        contactId: "151",
        contactEmail: `${HOSTILE}@x.example`,
        workflowId: "51001",
        attempts: 2,
      },
      ...{
        enrollmentStatus: "FAILED",
        errorCode: "INBOX_NOT_CONNECTED",
        errorMessage: HOSTILE.slice(0, 600),
      },
      lastProblem: `400 ${HOSTILE.slice(0, 600)}`,
      request: { senderMode: "contact_owner", ifAlreadyEnrolled: "skip" },
      senderChoice: {
        chosen: { userId: senders[0], via: "fallback_rotation", rotationName: HOSTILE.slice(0, 100) },
        passedOver: [
          { via: "contact_owner", code: "OWNER_MISSING", reason: "The contact has no owner." },
          {
            ...{
              userId: senders[1],
              via: "fallback_rotation",
              code: "SENDER_LIMIT_REACHED",
              reason: "The cap is reached.",
            },
            freeAt: "2026-11-22T08:00:00Z",
          },
        ],
      },
    };
  }

  async function decidePolicy(portalId: bigint): Promise<void> {
    const { database } = running.db;
    const by = { userId: null, userEmail: HOSTILE };
    const members = [...portal.users.values()]
      .slice(0, 4)
      .map(({ userId }) => ({ userId: BigInt(userId), weight: 2 }));
    const name = HOSTILE.slice(0, 100);
    const draft = { name, keepsSender: true, members };
    await createRotation(database, portalId, { draft, by });
    await savePreset(database, portalId, { draft: { name, policy: INITIAL_POLICY }, saved: undefined, by });
    await database.prisma.user.updateMany({
      where: { portalId, userId: BigInt([...portal.users.values()][2]?.userId ?? 1) },
      data: { firstName: HOSTILE, lastName: "\u202E<b>" },
    });
  }

  async function furtherPages(): Promise<string[]> {
    const { prisma } = running.db.database;
    const where = { portalId: BigInt(portal.portalId) };
    const story = await prisma.execution.findFirstOrThrow({ where: { ...where, contactId: "151" } });
    const waiting = await prisma.execution.findFirstOrThrow({ where: { ...where, decidedAt: null } });
    const rotation = await prisma.rotation.findFirstOrThrow({ where });
    const preset = await prisma.preset.findFirstOrThrow({ where });
    return [
      `/settings/activity/${story.id}`,
      `/settings/activity/${waiting.id}`,
      "/settings/activity?status=failed&kind=ENROLL&from=2026-01-01",
      "/settings/activity/bulk?action=retry",
      `/settings/senders/${portal.admin.userId}`,
      `/settings/rotations/${rotation.rotationId}`,
      "/settings/rotations/new",
      `/settings/presets/${preset.presetId}`,
      "/settings/presets/new",
      "/settings/activity/999999",
    ];
  }

  async function signIn(options: BrowserContextOptions = {}): Promise<Tab> {
    const tab = await openTab(browser, options);
    await tab.page.goto(`${running.publicUrl}/settings/sign-in`);
    await tab.page.waitForURL(`${running.publicUrl}/settings`);
    return tab;
  }

  // Each page in both colours and in both widths; all four ways only where they are to be looked at.
  const looks: [string, BrowserContextOptions][] = [
    ["wide-light", { colorScheme: "light", viewport: { width: 1280, height: 900 } }],
    ["phone-dark", { colorScheme: "dark", viewport: { width: 320, height: 640 } }],
  ];
  if (PICTURES !== undefined) {
    looks.push(["wide-dark", { colorScheme: "dark", viewport: { width: 1280, height: 900 } }]);
    looks.push(["phone-light", { colorScheme: "light", viewport: { width: 360, height: 740 } }]);
  }

  test.each(looks)(
    "has no barrier and nothing to scroll sideways, %s",
    async (look, options) => {
      const { page, complaints, close } = await signIn(options);
      for (const address of pages) {
        await page.goto(running.publicUrl + address);
        if (PICTURES !== undefined) {
          mkdirSync(PICTURES, { recursive: true });
          const name = `${address.slice(1).replaceAll(/[^a-z0-9]+/g, "-")}-${look}.png`;
          await page.screenshot({ path: path.join(PICTURES, name), fullPage: true });
        }
        expect([address, await findBarriers(page)]).toEqual([address, []]);
        expect([address, await sidewaysScroll(page)]).toEqual([address, 0]);
      }
      // The browser itself reports the page that is not there; anything else would be ours.
      expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
      await close();
    },
    120_000,
  );

  test("is reached from the menu and says where one is, with script off and on a phone", async () => {
    const { page, close } = await signIn({ javaScriptEnabled: false, viewport: { width: 320, height: 640 } });
    for (const address of MENU_PAGES) {
      await page.click(".menu.folded summary");
      await page.click(`.menu.folded a[href="${address}"]`);
      await page.waitForURL(running.publicUrl + address);
      expect(await page.getAttribute(`.menu.folded a[href="${address}"]`, "aria-current")).toBe("page");
      expect(await page.locator("h1").count()).toBe(1);
    }
    await close();
  });

  test("can be used by the keyboard alone, and shows where one is", async () => {
    const { page, close } = await signIn();
    for (const address of pages) {
      await page.goto(running.publicUrl + address);
      const controls = await page.evaluate<string[]>(LIST_CONTROLS);
      const reached: number[] = [];
      // Hours and minutes, days and months of one field are stops of their own.
      const mostPresses = controls.length + 4 * controls.filter(isDateOrTime).length;
      for (let press = 0; press < mostPresses && reached.length < controls.length; press += 1) {
        await page.keyboard.press("Tab");
        const { index, outline } = await page.evaluate<{ index: number; outline: string }>(FOCUSED);
        if (reached.at(-1) !== index) reached.push(index);
        expect([address, controls[index], outline]).toEqual([address, controls[index], "solid 3px"]);
      }
      expect([address, reached.map((index) => controls[index])]).toEqual([address, controls]);
    }
    await close();
  }, 120_000);
});

/** Everything a person can use, in the order of the page. */
const CONTROLS = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((element) => element.checkVisibility() && !element.disabled && element.tabIndex >= 0)`;

/** Its tag, its type and its name. */
const LIST_CONTROLS = `${CONTROLS}
  .map((element) => [element.localName, element.type, element.id || element.name || element.textContent.trim()].join(" "))`;

const FOCUSED = `(() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return { index: ${CONTROLS}.indexOf(document.activeElement), outline: outlineStyle + " " + outlineWidth };
})()`;

const isDateOrTime = (control: string): boolean => /^input (date|time) /.test(control);
