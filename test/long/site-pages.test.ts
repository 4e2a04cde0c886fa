import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { SITE_PAGES } from "#web/settings/frame/navigation.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { hiddenField } from "../support/browser.js";
import {
  browserSuite,
  findBarriers,
  launchChromium,
  openTab,
  sidewaysScroll,
  type Tab,
} from "../support/chromium.js";
import { seedExecutions } from "../support/executions.js";
import { fillPortal } from "../support/full-portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";
import {
  PICTURES,
  WIDE,
  PHONE,
  LOOKS,
  presetFields,
  UNFIT_CELLS,
  LIST_CONTROLS,
  FOCUSED,
  isDateOrTime,
} from "../support/page-probes.js";

/** Every page of the site that a person can open by the menu. */
const MENU_PAGES: readonly string[] = SITE_PAGES.map(({ path }) => path);

/** A page to look at: an address, or a form sent to it. */
interface Stop {
  readonly address: string;
  readonly status: number;
  /** What is typed; the token of the tab's own session goes along unless the form brings another. */
  readonly form?: Readonly<Record<string, string>>;
}

const stop = (address: string, status = 200): Stop => ({ address, status });

const sent = (address: string, status: number, form: Record<string, string>): Stop => ({
  address,
  status,
  form,
});

const suite = browserSuite("every settings page");

suite("every page of the settings site in a real browser", () => {
  let browser: Browser;
  let running: RunningApp;
  let portal: SimulatedPortal;
  let empty: SimulatedPortal;
  let gone: SimulatedPortal;
  /** Those of the menu, and those a person gets to from them. */
  let pages: Stop[];
  /** The admin's, for all that does not end its session. */
  let admin: Tab;

  beforeAll(async () => {
    // The worker reads the directories and leaves: what is stored stays as it is, bulk jobs under way too. HubSpot, a kind one,
    // does no more than that: the pages are of what is stored.
    running = await startRunningApp({ environment: { ROLE: "web" } });
    const place = { timeZone: "America/Argentina/Buenos_Aires", contacts: 1 };
    [portal, empty, gone] = [place, place, place].map((seed) => addPlainPortal(running.simulator, seed)) as [
      SimulatedPortal,
      SimulatedPortal,
      SimulatedPortal,
    ];
    for (const one of [portal, empty, gone]) await running.install(one);
    const worker = await running.startAnother({ ROLE: "worker" });
    await untilDirectoriesAreRead();
    await worker.close({ graceMs: 1_000 });
    browser = await launchChromium();
    await fillPortal(running.db.database, portal);
    pages = [...MENU_PAGES.map((address) => stop(address)), ...(await furtherPages())];
    admin = await signIn(portal);
  });

  afterAll(async () => {
    await browser?.close();
    await running?.close();
  });

  const prisma = () => running.db.database.prisma;
  const here = () => ({ portalId: BigInt(portal.portalId) });

  async function untilDirectoriesAreRead(): Promise<void> {
    const endsAt = Date.now() + 30_000;
    while ((await prisma().portal.count({ where: { directorySyncedAt: null } })) > 0) {
      if (Date.now() > endsAt) throw new Error("the directories were not read");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function furtherPages(): Promise<Stop[]> {
    const where = here();
    const rotation = await prisma().rotation.findFirstOrThrow({ where });
    const preset = await prisma().preset.findFirstOrThrow({ where });
    const jobs = await prisma().bulkJob.findMany({ where });
    const refused = [...portal.users.values()][1]?.userId;
    return [
      ...(await storyOfEachOutcome()).map((id) => stop(`/settings/activity/${id}`)),
      stop("/settings?range=30d"),
      stop("/settings/activity?status=failed&kind=ENROLL&from=2026-01-01"),
      stop("/settings/activity?q=nobody%40nowhere.example&since=nonsense"),
      stop("/settings/activity/bulk?action=retry"),
      ...jobs.map(({ id }) => stop(`/settings/activity/bulk/${id}`)),
      stop("/settings/reports?by=sender&range=90d"),
      stop("/settings/senders?search=nobody"),
      stop(`/settings/senders/${portal.admin.userId}`),
      stop(`/settings/senders/${refused}`),
      stop(`/settings/rotations/${rotation.rotationId}`),
      stop("/settings/rotations/new"),
      stop(`/settings/presets/${preset.presetId}`),
      stop("/settings/presets/new"),
      stop("/settings/activity/999999", 404),
      stop("/settings/activity/bulk/999999", 404),
      stop("/settings/senders/999999", 404),
      stop("/settings/rotations/999999", 404),
      stop("/settings/presets/999999", 404),
      stop("/settings/nowhere", 404),
    ];
  }

  /** One of each status and state, the ones with most to tell. */
  async function storyOfEachOutcome(): Promise<bigint[]> {
    const { rows } = await running.db.database.pool.query<{ id: string }>(
      `SELECT max(id) AS id FROM executions WHERE portal_id = $1
        GROUP BY kind, enrollment_status, decided_at IS NULL, error_code ORDER BY 1`,
      [portal.portalId],
    );
    expect(rows.length).toBeGreaterThanOrEqual(8);
    return rows.map(({ id }) => BigInt(id));
  }

  /** A tab in which a user of the account has signed in by HubSpot: its super admin if none is named. */
  async function signIn(
    one: SimulatedPortal,
    { userId = one.admin.userId, ...options }: BrowserContextOptions & { userId?: number } = {},
  ): Promise<Tab> {
    running.simulator.setAutoConsent({ portalId: one.portalId, userId });
    const tab = await openTab(browser, { viewport: WIDE, ...options });
    await tab.page.goto(`${running.publicUrl}/settings/sign-in`);
    await tab.page.waitForURL(`${running.publicUrl}/settings`);
    return tab;
  }

  /** Opens the page, or sends the form as the browser does: the answer is the page then. */
  async function open(page: Page, { address, status, form }: Stop): Promise<void> {
    const url = running.publicUrl + address;
    if (form !== undefined) {
      const settings = await page.request.get(`${running.publicUrl}/settings`);
      const token = hiddenField(await settings.text(), "form_token");
      const postData = new URLSearchParams({ form_token: token, ...form }).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      await page.route(
        url,
        (route) =>
          route.continue({ method: "POST", postData, headers: { ...route.request().headers(), ...headers } }),
        { times: 1 },
      );
    }
    const answer = await page.goto(url);
    expect([address, answer?.status()]).toEqual([address, status]);
  }

  /** Both colors and both widths, as many pages as wanted in the one tab. */
  async function look({ page, complaints }: Tab, stops: readonly Stop[]): Promise<void> {
    for (const one of stops) {
      const { address, form } = one;
      await page.setViewportSize(WIDE);
      await open(page, one);
      const place = form === undefined ? address : `${address} with ${JSON.stringify(form)}`;
      for (const [viewport, colorScheme] of LOOKS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        await keepPicture(page, `${address}-${viewport.width}-${colorScheme}`);
        expect([place, colorScheme, await findBarriers(page)]).toEqual([place, colorScheme, []]);
        expect([place, viewport, await sidewaysScroll(page)]).toEqual([place, viewport, 0]);
      }
    }
    expect(complaints.splice(0).filter((text) => !isReportOfStatus(text))).toEqual([]);
  }

  /** The browser itself reports answers of 4xx and 5xx; anything else would be ours. */
  const isReportOfStatus = (text: string): boolean => /responded with a status of [45]\d\d/.test(text);

  async function keepPicture(page: Page, name: string): Promise<void> {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    const file = `${name.slice(1).replaceAll(/[^a-z0-9]+/g, "-")}.png`;
    await page.screenshot({ path: path.join(PICTURES, file), fullPage: true });
  }

  describe("has no barrier in either color and nothing to scroll sideways", () => {
    test("where an admin gets by links", () => look(admin, pages), 240_000);

    test("where a form is not saved, and where a question is answered", async () => {
      const rotation = await prisma().rotation.findFirstOrThrow({ where: here() });
      const preset = await prisma().preset.findFirstOrThrow({ where: here() });
      const { userId } = portal.admin;
      const [contact] = portal.contacts.keys();
      const [sequence] = portal.sequences.keys();
      const late = { version: "77" };
      const stored = { ...presetFields, name: "Other", ...late };
      const members = { name: "Other", member: String(userId), [`weight_${userId}`]: "3", ...late };
      await look(admin, [
        sent("/settings/policy", 409, { max_hold_days: "9", ...late }),
        sent(`/settings/senders/${userId}`, 409, { daily_cap: "9", ...late }),
        sent(`/settings/rotations/${rotation.rotationId}`, 409, members),
        sent(`/settings/presets/${preset.presetId}`, 409, stored),
        sent("/settings/policy", 422, { max_hold_days: "x", retention_days: "x" }),
        sent(`/settings/senders/${userId}`, 422, {
          daily_cap: "x",
          window_from: "09:00",
          away_from: "2026-12-24",
        }),
        sent("/settings/rotations/new", 422, { name: "", member: "1", weight_1: "x" }),
        sent("/settings/rotations/new", 200, { name: "", new_member: String(userId), add: "yes" }),
        sent("/settings/presets/new", 422, { name: "", sender_mode: "rotation", domains: "not a domain" }),
        sent("/settings/alerts", 422, { webhook_url: "x", email: "x", failure_count: "x", version: "1" }),
        sent("/settings/try", 422, { contact: "x" }),
        sent("/settings/try", 200, {
          contact: contact ?? "",
          sequence_id: sequence ?? "",
          sender_mode: "specific_user",
          sender_user_id: String(userId),
        }),
        sent("/settings/alerts", 403, { form_token: "of another session" }),
      ]);
    });

    test("of an account where nothing has happened yet", async () => {
      const tab = await signIn(empty);
      await look(tab, [
        ...MENU_PAGES.map((address) => stop(address)),
        stop("/settings/reports?by=workflow&range=30d"),
      ]);
      await tab.close();
    });

    test("for those who are not let in", async () => {
      const colleague = [...portal.users.values()].find(({ superAdmin, active }) => !superAdmin && active);
      colleague!.canInstallApps = true;
      await prisma().portalAdmin.deleteMany({ where: { ...here(), userId: BigInt(colleague!.userId) } });
      const unlisted = await signIn(portal, { userId: colleague!.userId });
      await look(unlisted, [stop("/settings", 403)]);
      await unlisted.close();

      const left = await signIn(gone);
      await seedExecutions(running.db.database, [{ portalId: BigInt(gone.portalId) }]);
      await prisma().portal.update({
        where: { portalId: BigInt(gone.portalId) },
        data: { status: "DISCONNECTED", disconnectedReason: "The app was uninstalled." },
      });
      await look(left, [stop("/settings")]);
      await left.page.click("text=Sign out");
      await look(left, [stop("/settings", 401)]);
      await left.close();
    });

    test("where a trip to HubSpot ends", async () => {
      const tab = await openTab(browser);
      // A trip that this browser has begun: each state is good once.
      const begun = async (request = tab.page.request): Promise<string> => {
        const { headers } = {
          headers: (await request.get(`${running.publicUrl}/oauth/install`, { maxRedirects: 0 })).headers(),
        };
        return encodeURIComponent(new URL(headers["location"] ?? "").searchParams.get("state") ?? "");
      };
      const at = "/oauth/callback";
      const used = await begun();
      const stranger = await openTab(browser);
      await look(tab, [
        stop("/settings", 401),
        stop(`${at}?error=access_denied`, 403),
        stop(`${at}?code=1&state=nonsense`, 400),
        stop(`${at}?code=1&state=${await begun(stranger.page.request)}`, 400),
        stop(`${at}?code=1&state=${used}`, 400),
        stop(`${at}?code=1&state=${used}`, 400),
        stop(`${at}?step=authorize&returnUrl=https%3A%2F%2Fevil.example`, 400),
        stop("/settings/installed"),
      ]);
      await stranger.close();
      await tab.close();
    });

    test("where our side fails", async () => {
      const { pool } = running.db.database;
      await pool.query(`ALTER TABLE bulk_jobs RENAME TO bulk_jobs_away`);
      try {
        await look(admin, [stop("/settings/activity", 503)]);
        const failWith = (state: string) =>
          pool.query(
            `CREATE OR REPLACE FUNCTION fail() RETURNS SETOF bulk_jobs_away LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'raised by the test' USING ERRCODE = '${state}'; END $$`,
          );
        await failWith("P0001");
        await pool.query(`CREATE VIEW bulk_jobs AS SELECT * FROM fail()`);
        await look(admin, [stop("/settings/activity", 500)]);
        await failWith("53100");
        await look(admin, [stop("/settings/activity", 503)]);
      } finally {
        await pool.query(`DROP VIEW IF EXISTS bulk_jobs`);
        await pool.query(`DROP FUNCTION IF EXISTS fail()`);
        await pool.query(`ALTER TABLE bulk_jobs_away RENAME TO bulk_jobs`);
      }
    });
  });

  test.each(["/settings", "/settings/activity"])("prints %s with its table as a table", async (address) => {
    const { page } = admin;
    await page.setViewportSize({ width: 794, height: 1_123 });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await open(page, stop(address));
    const blank = await blankSize(page);
    const printed = await page.screenshot();
    expect(printed.length).toBeGreaterThan(5 * blank);
    expect(await page.evaluate<string[]>(UNFIT_CELLS)).toEqual([]);
    expect(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")).toMatch(
      /rgba\(0, 0, 0, 0\)|rgb\(255, 255, 255\)/,
    );
    await page.emulateMedia({ media: null });
  });

  /** Bytes of a picture of nothing, as large as the page's. */
  async function blankSize(page: Page): Promise<number> {
    const context = await browser.newContext({ viewport: page.viewportSize() });
    const empty = await context.newPage();
    const { length } = await empty.screenshot();
    await context.close();
    return length;
  }

  test("is reached from the menu and says where one is, with script off and on a phone", async () => {
    const { page, close } = await signIn(portal, { javaScriptEnabled: false, viewport: PHONE });
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
    const { page } = admin;
    await page.setViewportSize(WIDE);
    for (const one of pages) {
      const { address } = one;
      await open(page, one);
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
  }, 240_000);
});
