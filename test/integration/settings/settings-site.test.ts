import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { eraseHistories } from "#worker/sweeps/erase-history.js";
import { createLogger } from "#platform/observability/logger.js";
import { SITE_PAGES } from "../../../src/web/settings/frame/navigation.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { install, letInstallersIn, startSite, type Site } from "../../support/site.js";

let site: Site;
let portalNumber: number;
let portalId: bigint;
let admin: Browser;

beforeEach(async () => {
  site = await startSite();
  portalNumber = site.simulator.addPortal().portalId;
  portalId = BigInt(portalNumber);
  admin = site.browser();
  await install(site, admin, portalNumber);
  await letInstallersIn(site.database);
});

afterEach(() => site.close());

const daysAgo = (count: number) => new Date(Date.now() - count * 86_400_000);
const minutesAgo = (count: number) => new Date(Date.now() - count * 60_000);

async function press(path: string, fields: Record<string, string> = {}) {
  const page = await admin.get("/settings/danger");
  return admin.post(path, { form_token: hiddenField(page.text, "form_token"), ...fields });
}

/** Text without tags and with plain spaces. */
const wordsOf = (page: string): string => page.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

describe("the overview", () => {
  test("counts what was decided in the chosen stretch of time, with the reasons and where to see them", async () => {
    const failed = { portalId, enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" };
    await seedExecutions(site.database, [
      { ...failed, acceptedAt: minutesAgo(1) },
      { ...failed, acceptedAt: minutesAgo(2) },
      { portalId, enrollmentStatus: "FAILED", errorCode: "BOUNCED", acceptedAt: minutesAgo(1) },
      { portalId, enrollmentStatus: "ENROLLED", acceptedAt: minutesAgo(1) },
      { portalId, enrollmentStatus: "ENROLLED", acceptedAt: daysAgo(3) },
      { portalId, enrollmentStatus: "ENROLLED", acceptedAt: daysAgo(20) },
      { portalId, kind: "CHECK_ENROLLMENT", enrollmentStatus: "ENROLLED", acceptedAt: minutesAgo(1) },
    ]);
    for (const [range, enrolled] of [
      ["24h", 1],
      ["7d", 2],
      ["30d", 3],
    ] as const) {
      const { text } = await admin.get(`/settings?range=${range}`);
      expect(text).toMatch(new RegExp(`class="figure enrolled"[^>]*><strong>${enrolled}</strong>`));
      expect(text).toContain(
        `<desc id="chart-words">Enrolled: ${enrolled}; Already in a sequence: 0; Skipped: 0; Not enrolled: 3</desc>`,
      );
    }
    const { text } = await admin.get("/settings");
    expect(text.indexOf("code=OWNER_MISSING&amp;kind=ENROLL")).toBeGreaterThan(0);
    expect(text.indexOf("code=OWNER_MISSING")).toBeLessThan(text.indexOf("code=BOUNCED"));
    expect(text).toContain(`href="/settings/help/OWNER_MISSING"`);
  });

  test("cuts days where the portal's calendar does, also when the clocks change", async () => {
    await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "Asia/Kathmandu" } });
    await seedExecutions(site.database, [{ portalId, enrollmentStatus: "ENROLLED", acceptedAt: daysAgo(2) }]);
    const { text } = await admin.get("/settings?range=7d");
    const day = new Intl.DateTimeFormat("en-US", {
      timeZone: "Asia/Kathmandu",
      day: "numeric",
      month: "short",
    });
    expect(text).toMatch(
      new RegExp(
        `<th scope="row"><a href="[^"]+">${day.format(daysAgo(2))}</a></th><td data-label="Enrolled">1</td>`,
      ),
    );
    expect(text.match(/<tr><th scope="row">/g)).toHaveLength(7);
  });

  test("shows who is near their cap, nearest first, by what was sent in the last 24 hours", async () => {
    const sent = (userId: bigint, enrolledAt: Date) => ({
      portalId,
      senderUserId: userId,
      enrollmentStatus: "ENROLLED",
      enrolledAt,
    });
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, dailyCap: 2, windowDays: [] },
    });
    await site.database.prisma.user.create({
      data: {
        portalId,
        userId: 8n,
        firstName: "Bo",
        lastName: "Fu",
        superAdmin: false,
        seatNames: [],
        isListed: true,
      },
    });
    await seedExecutions(site.database, [
      sent(7n, minutesAgo(5)),
      sent(8n, minutesAgo(5)),
      sent(8n, minutesAgo(60)),
      sent(8n, daysAgo(2)),
    ]);
    const words = wordsOf((await admin.get("/settings")).text);
    expect(words).toContain("1 sender at the cap. Bo Fu 2 of 2 · at cap User 7 1 of 400");
  });
});

describe("the danger zone", () => {
  const settings = () => site.database.prisma.portalSettings.findUnique({ where: { portalId } });
  const audited = async () =>
    (await site.database.prisma.auditEntry.findMany({ orderBy: { id: "asc" } })).map(({ action }) => action);

  test("pauses and resumes, says so on every page with the way to end it, and notes each once", async () => {
    await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "UTC" } });
    const deadlineAt = new Date("2100-03-04T09:30:00Z");
    await seedExecutions(site.database, [{ portalId, deadlineAt }]);
    const { text: before } = await admin.get("/settings/activity");
    expect(before).not.toContain("Enrollment is paused");
    expect(before).toContain("Queued.");
    await press("/settings/danger/pause");
    await press("/settings/danger/pause");
    expect((await settings())?.pausedAt).toBeInstanceOf(Date);
    for (const { path } of SITE_PAGES) {
      const page = wordsOf((await admin.get(path)).text);
      expect([path, page]).toEqual([
        path,
        expect.stringMatching(
          /Enrollment was paused just now by \S+@\S+\. 1 contact waiting\. First released without being enrolled: Mar 4, 2100, 9:30 AM \. Resume/,
        ),
      ]);
    }
    const { text } = await admin.get("/settings/activity");
    expect(text).toMatch(/<span class="badge waiting">Held<\/span>.*Held: enrollment is paused\./s);
    expect(text).not.toContain("Queued.");
    const resumed = await press("/settings/danger/resume", { back: "/settings/senders" });
    expect(resumed.location).toBe(`${site.url}/settings/senders`);
    await press("/settings/danger/pause");
    expect((await press("/settings/danger/resume", { back: "https://evil.example" })).location).toBe(
      `${site.url}/settings/danger`,
    );
    await press("/settings/danger/pause");
    await press("/settings/danger/resume");
    await press("/settings/danger/resume");
    expect((await settings())?.pausedAt).toBeNull();
    expect(await audited()).toEqual([
      "CONNECTED",
      ...Array.from({ length: 3 }, () => ["PAUSED", "RESUMED"]).flat(),
    ]);
  });

  test("tells what a pause costs, before it and while it lasts: who waits, and until when at most", async () => {
    const shown = async () => wordsOf((await admin.get("/settings/danger")).text);
    expect(await shown()).toContain("No contacts are waiting.");
    await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "UTC" } });
    await seedExecutions(site.database, [
      { portalId, acceptedAt: minutesAgo(9), deadlineAt: new Date("2100-03-05T10:00:00Z") },
      { portalId, acceptedAt: minutesAgo(3), deadlineAt: new Date("2100-03-04T09:30:00Z") },
      { portalId, enrollmentStatus: "ENROLLED" },
      { portalId: portalId + 1n, deadlineAt: new Date("2100-03-01T09:30:00Z") },
    ]);
    expect(await shown()).toContain(
      "2 contacts are waiting to be enrolled. First deadline: Mar 4, 2100, 9:30 AM . If still paused then, that contact continues without being enrolled.",
    );
    await press("/settings/danger/pause");
    expect(await shown()).toMatch(
      /Paused [^.]+\. New contacts wait at the action\. Contacts already in a sequence keep receiving its emails\. 2 contacts are waiting to be enrolled\. First deadline: Mar 4, 2100, 9:30 AM \. If still paused then, that contact continues without being enrolled\. Resume enrollment/,
    );
  });

  test("deletes and disconnects nothing unless the account's number is typed", async () => {
    await seedExecutions(site.database, [{ portalId, enrollmentStatus: "ENROLLED" }]);
    for (const confirmation of ["", "yes", String(portalNumber + 1)])
      for (const path of ["/settings/danger/erase", "/settings/danger/disconnect"])
        await press(path, { confirmation });
    expect((await admin.get("/settings/danger")).text).toContain("Nothing was changed.");
    expect(await settings()).toBeNull();
    expect((await admin.get("/settings")).text).toContain("Connected");
    expect(await audited()).toEqual(["CONNECTED"]);
  });

  test("deletes the history: old executions entirely, personal data from young ones, nothing from waiting ones", async () => {
    const other = { portalId: portalId + 1n, enrollmentStatus: "ENROLLED", acceptedAt: daysAgo(30) };
    const done = {
      portalId,
      enrollmentStatus: "ENROLLED",
      contactEmail: "who@acme.example",
      lastProblem: "x",
      completionProblem: "x",
    };
    await seedExecutions(site.database, [
      { ...done, acceptedAt: daysAgo(30) },
      { ...done, acceptedAt: daysAgo(2) },
      { portalId, contactEmail: "waits@acme.example", acceptedAt: daysAgo(1) },
      other,
    ]);
    await press("/settings/danger/erase", { confirmation: ` ${portalNumber} ` });
    const deleting = (await admin.get("/settings/danger")).text;
    expect(deleting).toContain("Deleting now");
    expect(deleting).toContain('<a href="/settings/danger">Reload</a>');
    await eraseHistories({
      pool: site.database.pool,
      logger: createLogger({ level: "silent" }),
      isEnding: () => false,
    });
    const left = await site.database.prisma.execution.findMany({ orderBy: { id: "asc" } });
    expect(
      left.map((kept) => [kept.portalId, kept.contactEmail, kept.lastProblem, kept.completionProblem]),
    ).toEqual([
      [portalId, null, null, null],
      [portalId, "waits@acme.example", null, null],
      [portalId + 1n, null, null, null],
    ]);
    expect((await admin.get("/settings/danger")).text).not.toMatch(/Deleting now|>Reload</);
    expect(await audited()).toEqual(["CONNECTED", "DELETED"]);
  });

  test("disconnects: HubSpot uninstalls the app, and our tokens are gone", async () => {
    await press("/settings/danger/disconnect", { confirmation: String(portalNumber) });
    expect(
      site.simulator.requests.some(
        ({ method, path }) => method === "DELETE" && path.endsWith("/external-install"),
      ),
    ).toBe(true);
    expect(await site.database.prisma.portalToken.count()).toBe(0);
    expect((await admin.get("/settings")).text).toContain("disconnected this account.");
    expect(await audited()).toEqual(["CONNECTED", "DISCONNECTED"]);
  });

  test("leaves alone what a new install gave while HubSpot was being told, and says so", async () => {
    await site.close();
    site = await startSite({
      change: ({ vault, ...foundation }) => ({
        ...foundation,
        vault: {
          ...vault,
          async disconnect(...told) {
            await install(site, site.browser(), portalNumber);
            return vault.disconnect(...told);
          },
        },
      }),
    });
    portalNumber = site.simulator.addPortal().portalId;
    admin = site.browser();
    await install(site, admin, portalNumber);
    const before = await site.database.prisma.portalToken.findFirstOrThrow();
    const answer = await press("/settings/danger/disconnect", { confirmation: String(portalNumber) });
    expect(answer.location).toBe(`${site.url}/settings/danger`);
    const after = await site.database.prisma.portalToken.findFirstOrThrow();
    expect(after.grantedAt > before.grantedAt).toBe(true);
    expect(await site.vault.accessTokenFor(BigInt(portalNumber))).not.toBe("");
    expect((await admin.get("/settings/danger")).text).toContain("Someone reconnected the account");
    expect(await audited()).toEqual(["CONNECTED", "CONNECTED"]);
  });

  test("is undone as a whole where its audit entry cannot be written", async () => {
    await site.database.pool.query(
      `ALTER TABLE audit_entries ADD CONSTRAINT no_more CHECK (action <> 'DISCONNECTED')`,
    );
    expect((await press("/settings/danger/disconnect", { confirmation: String(portalNumber) })).status).toBe(
      500,
    );
    expect(await site.database.prisma.portalToken.count()).toBe(1);
    await site.database.pool.query(`ALTER TABLE audit_entries DROP CONSTRAINT no_more`);
  });

  test("forgets the account even while HubSpot is down, and says what is left to do there", async () => {
    await site.simulator.close();
    await press("/settings/danger/disconnect", { confirmation: String(portalNumber) });
    expect(await site.database.prisma.portalToken.count()).toBe(0);
    expect((await admin.get("/settings")).text).toContain("We couldn't reach HubSpot to uninstall the app");
  });
});
