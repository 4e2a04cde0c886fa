import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { appUsers } from "../../support/authorizing.js";
import { createBrowser, hiddenField, type Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

describe("the audit", () => {
  let running: RunningApp;
  let browser: Browser;
  let portalId: bigint;
  let email: string;

  beforeAll(async () => {
    running = await startRunningApp({ environment: { ROLE: "web" } });
    await openAccount();
    // The first page of a process compiles its code: on a busy machine that takes longer than a page may.
    await browser.get("/settings/audit");
  });

  afterAll(() => running.close());

  beforeEach(() => openAccount());

  async function openAccount(): Promise<void> {
    const portal = addPlainPortal(running.simulator);
    [portalId, email] = [BigInt(portal.portalId), portal.admin.email];
    browser = createBrowser(running.publicUrl);
    await connect();
  }

  const prisma = () => running.db.database.prisma;
  const page = async (path: string) => {
    const { status, text } = await browser.get(`/settings/${path}`);
    expect([path, status]).toEqual([path, 200]);
    return text;
  };

  async function connect(from = "/oauth/install", by?: number): Promise<void> {
    const start = await browser.get(from);
    const userId = by ?? running.simulator.portals.get(Number(portalId))?.admin.userId ?? 0;
    await browser.get(
      running.simulator.authorize(start.location ?? "", { portalId: Number(portalId), userId }),
    );
  }

  async function press(path: string, fields: Record<string, string> = {}) {
    const token = hiddenField(await page("audit"), "form_token");
    return browser.post(`/settings/${path}`, { form_token: token, ...fields });
  }

  /** Each entry as a line: its heading, who, and its rows. */
  const entries = async (address = "audit") =>
    [...(await page(address)).matchAll(/<li class="card">(.*?)<\/li>/gs)].map(([, html = ""]) =>
      html
        .replace(/<[^>]*>/g, " ")
        .replaceAll(/\s+/g, " ")
        .trim(),
    );

  const storedId = async () =>
    (await prisma().execution.findFirstOrThrow({ where: { portalId }, orderBy: { id: "desc" } })).id;

  test("tells who signed in, who signed out, and who was not let in", async () => {
    await connect("/settings/sign-in");
    const [signedIn] = await entries();
    expect(signedIn).toMatch(new RegExp(`^${email} signed in ${email} ,`));
    const portal = running.simulator.portals.get(Number(portalId));
    const [stranger = 0] = portal === undefined ? [] : appUsers(portal);
    const admin = browser;
    browser = createBrowser(running.publicUrl);
    await connect("/settings/sign-in", stranger);
    expect((await browser.get("/settings")).status).toBe(403);
    browser = admin;
    const address = portal?.users.get(stranger)?.email ?? "";
    expect((await entries())[0]).toMatch(new RegExp(`^${address} sign-in refused ${address} ,`));
    expect((await press("sign-out")).status).toBe(303);
    await connect("/settings/sign-in");
    const told = await entries("audit?what=session");
    expect(told.map((entry) => entry.split(" ,", 1)[0])).toEqual([
      ...[`${email} signed in ${email}`, `${email} signed out ${email}`],
      ...[`${address} sign-in refused ${address}`, `${email} signed in ${email}`],
    ]);
  });

  test("records no sign-in of a person whom HubSpot does not name", async () => {
    running.simulator.setFaults({ users: { errorBefore: 1 } });
    await connect("/settings/sign-in");
    running.simulator.setFaults({});
    expect(await entries()).toEqual([
      expect.stringMatching(new RegExp(`^${email} sign-in refused`)),
      expect.stringMatching(/^Account connected/),
    ]);
  });

  test("tells who connected the account, first and again, and no sign-in beside it", async () => {
    expect(await entries()).toEqual([
      expect.stringMatching(
        new RegExp(
          `^Account connected ${email} , .*Connection Never connected before Connected .*${email} Permissions – automation, .*`,
        ),
      ),
    ]);
    await prisma().portal.update({
      where: { portalId },
      data: { status: "DISCONNECTED", scopes: ["oauth"] },
    });
    await connect();
    const [again, first] = await entries();
    expect(again).toMatch(/Connection Not connected Connected Permissions oauth .*automation/);
    expect(first).toContain("Never connected before");
  });

  test("says what came of a pause, a cancel, a retry and a bulk job, and links to it", async () => {
    await prisma().user.create({
      data: {
        portalId,
        userId: 7n,
        email: "ann@acme.example",
        firstName: "Ann",
        lastName: "Lee",
        superAdmin: false,
        seatNames: [],
        isListed: true,
      },
    });
    await press("danger/pause");
    await press("danger/resume");
    await press("danger/erase", { confirmation: String(portalId) });
    await seedExecutions(running.db.database, [{ portalId }]);
    const waiting = await storedId();
    await press(`activity/${waiting}/cancel`);
    await seedExecutions(running.db.database, [
      {
        portalId,
        enrollmentStatus: "FAILED",
        errorCode: "OWNER_MISSING",
        sequenceId: "31",
        request: { senderMode: "contact_owner" },
      },
    ]);
    const failed = await storedId();
    await press(`activity/${failed}/retry`);
    await press("activity/bulk", { action: "cancel", status: "waiting", sender: "7", since: "24h" });
    const { id: job } = await prisma().bulkJob.findFirstOrThrow({ where: { portalId } });
    await press(`activity/bulk/${job}/stop`);

    const [stop, bulk, retry, cancel, erase, resume, pause] = await entries();
    expect(pause).toMatch(/^Enrollment paused .*Enrollment Running Paused$/);
    expect(resume).toMatch(/^Enrollment resumed .*Enrollment Paused Running$/);
    expect(erase).toMatch(/^History deleted .*History Kept Deleted$/);
    expect(cancel).toMatch(/Result Waiting Not enrolled Reason – An admin canceled/);
    expect(retry).toMatch(new RegExp(`Retry record – ${failed + 1n}$`));
    expect(bulk).toMatch(/Applied to contacts where .*Result: Waiting ?; Sender: Ann Lee · ann@acme.example/);
    expect(bulk).toMatch(
      /Received after: \w+ \d+, 2026, \d+:\d\d [AP]M .*Result Waiting Not enrolled: canceled$/,
    );
    expect(stop).toMatch(/Bulk action Running Stopped$/);
    const text = await page("audit");
    for (const address of [`${waiting}`, `${failed}`, `bulk/${job}`])
      expect(text).toContain(`href="/settings/activity/${address}"`);
    expect(text).not.toMatch(/filter\.|senderUserId|<tbody><\/tbody>/);
  });

  test("names what earlier releases left without words, and writes moments in the account's zone", async () => {
    await prisma().portal.update({ where: { portalId }, data: { timeZone: "Asia/Tokyo" } });
    const { presetId } = await prisma().preset.create({ data: { portalId, name: "Outbound", policy: {} } });
    const limit = "2026-11-20T17:00:00.000Z";
    const old = [
      { subject: "access", subjectName: "Bob", action: "LET_IN", after: { userId: "8" } },
      {
        subject: "portal",
        subjectName: "Connection",
        action: "DISCONNECTED",
        after: { uninstalledInHubSpot: true },
      },
      {
        subject: "portal",
        subjectName: "Defaults",
        action: "CHANGED",
        before: { presetId: null },
        after: { presetId: String(presetId) },
      },
      { subject: "sender", subjectName: "skip", action: "CLEARED", before: { limitedUntil: limit } },
      {
        subject: "preset",
        subjectName: "skip",
        action: "CHANGED",
        before: { name: "skip" },
        after: { name: "fail" },
      },
      { subject: "portal", subjectName: "x", action: "CHANGED", after: { someNew_thing: 1 } },
    ];
    await prisma().auditEntry.createMany({ data: old.map((entry) => ({ portalId, ...entry })) });
    const [unknown, preset, sender, defaults, gone, access] = await entries();
    expect(access).toMatch(/^Bob access given .*Access No access Full access$/);
    expect(gone).toMatch(/Connection Connected Not connected Uninstalled in HubSpot – Yes$/);
    expect(defaults).toMatch(/Default preset – Outbound$/);
    expect(sender).toMatch(/^Sender skip cleared .*until Nov 21, 2026, 2:00 AM –$/);
    expect(preset).toMatch(/Name skip fail$/);
    expect(unknown).toMatch(/Some new thing – 1$/);
  });

  test("is narrowed by person and by what was changed, over its pages too", async () => {
    const change = { subject: "sender", action: "CHANGED", after: { dailyCap: 1 } };
    await prisma().auditEntry.createMany({
      data: [
        ...Array.from({ length: 30 }, () => ({
          portalId,
          ...change,
          subjectName: "Ann's",
          userId: 7n,
          userEmail: "ann@acme.example",
        })),
        { portalId, ...change, subjectName: "Bob's", userId: 8n, userEmail: "bob@acme.example" },
      ],
    });
    expect(await entries("audit?who=8")).toEqual([expect.stringContaining("Bob's")]);
    expect(await entries("audit?what=portal")).toEqual([expect.stringContaining("Account connected")]);
    const first = await page("audit?who=7&what=sender");
    expect(first).toMatch(/<option value="7" selected[^>]*>ann@acme.example/);
    const older = /href="\/settings\/(audit\?[^"]*)"[^>]*>\s*Older/.exec(first)?.[1] ?? "";
    expect(await entries(older.replaceAll("&amp;", "&"))).toHaveLength(5);
    expect(await page("audit?who=9")).toContain("No matching changes.");
    expect(await entries("audit?who=x&what=__proto__")).toHaveLength(25);
  });
});
