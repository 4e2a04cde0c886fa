import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { install, startSite, type Site } from "../../support/site.js";
import { systemOf } from "../../support/actors.js";

let site: Site;
let portal: SimulatedPortal;
let portalId: bigint;
let admin: Browser;

beforeEach(async () => {
  site = await startSite();
  portal = site.simulator.addPortal();
  portalId = BigInt(portal.portalId);
  for (const user of portal.users.values()) user.canInstallApps = true;
  admin = site.browser();
  await install(site, admin, portal.portalId);
});

afterEach(() => site.close());

/** A browser in which this user of the portal has signed in by HubSpot. */
async function signIn(userId: number): Promise<Browser> {
  const browser = site.browser();
  const start = await browser.get("/settings/sign-in");
  await browser.get(site.simulator.authorize(start.location ?? "", { portalId: portal.portalId, userId }));
  return browser;
}

/** What the directory knows of a user. */
async function know(userId: number, facts: { superAdmin?: boolean; isListed?: boolean; firstName?: string }) {
  const data = {
    superAdmin: false,
    isListed: true,
    seatNames: [],
    email: `${userId}@acme.example`,
    ...facts,
  };
  const key = { portalId, userId: BigInt(userId) };
  await site.database.prisma.user.upsert({
    where: { portalId_userId: key },
    create: { ...key, ...data },
    update: data,
  });
}

async function send(browser: Browser, path: string, fields: Record<string, string>) {
  const page = await browser.get("/settings/access");
  return browser.post(path, { form_token: hiddenField(page.text, "form_token"), ...fields });
}

/** Goes through an install as this user, with their choice of optional permissions. */
async function installAs(userId: number, options: { withUserList: boolean }): Promise<Browser> {
  const browser = site.browser();
  const start = await browser.get("/oauth/install");
  const address = new URL(start.location ?? "");
  if (!options.withUserList) address.searchParams.delete("optional_scope");
  const answer = site.simulator.authorize(address.href, { portalId: portal.portalId, userId });
  await browser.get(answer);
  return browser;
}

const authorizer = async () =>
  (await site.database.prisma.portal.findUniqueOrThrow({ where: { portalId } })).authorizedByUserId;

const colleague = () => [...portal.users.values()].find(({ userId }) => userId !== portal.admin.userId);
const colleagueId = () => colleague()?.userId ?? 0;

describe("the settings site", () => {
  test("lets the super admins of the account in, and nobody else of it, and names whom to ask", async () => {
    await know(portal.admin.userId, { superAdmin: true, firstName: "Zoe" });
    await know(colleagueId(), {});
    expect((await admin.get("/settings")).status).toBe(200);
    const browser = await signIn(colleagueId());
    for (const path of ["/settings", "/settings/access"]) {
      const refused = await browser.get(path);
      expect(refused.status).toBe(403);
      expect(refused.text).toContain("You don't have access");
      expect(refused.text).toContain("Zoe");
    }
    await know(colleagueId(), { superAdmin: true });
    expect((await browser.get("/settings")).status).toBe(200);
  });

  test("changes nothing for a user who was not let in, though the form carries their own token", async () => {
    await know(colleagueId(), {});
    const browser = await signIn(colleagueId());
    const form_token = hiddenField((await browser.get("/settings")).text, "form_token");
    for (const [path, fields] of [
      ["/settings/access/let-in", { user_id: String(colleagueId()) }],
      ["/settings/alerts", { webhook_url: "https://evil.example/", version: "0" }],
    ] as const)
      await browser.post(path, { form_token, ...fields });
    expect(await site.database.prisma.portalAdmin.count()).toBe(0);
    expect(await site.database.prisma.portalSettings.count()).toBe(0);
  });

  test("lets in whom an admin let in, until an admin takes them out, and notes both", async () => {
    await know(portal.admin.userId, { superAdmin: true });
    await know(colleagueId(), { firstName: "Ned" });
    const user_id = String(colleagueId());
    await send(admin, "/settings/access/let-in", { user_id, role: "admin" });
    expect((await admin.get("/settings/access")).text).toContain("now has access as an admin.");
    const browser = await signIn(colleagueId());
    expect((await browser.get("/settings")).status).toBe(200);
    await send(admin, "/settings/access/take-out", { user_id });
    expect((await browser.get("/settings")).status).toBe(403);
    const entries = await site.database.prisma.auditEntry.findMany({
      where: { subject: "access" },
      orderBy: { id: "asc" },
    });
    expect(entries).toMatchObject([
      {
        portalId,
        action: "LET_IN",
        subjectName: `Ned · ${user_id}@acme.example`,
        after: { userId: user_id },
      },
      { portalId, action: "TAKEN_OUT", userId: BigInt(portal.admin.userId), before: { userId: user_id } },
    ]);
  });

  test("lets in nobody of another account, nobody unknown, and nobody who has left", async () => {
    await know(portal.admin.userId, { superAdmin: true });
    await know(colleagueId(), { isListed: false });
    const other = { portalId: portalId + 1n, userId: 77n, superAdmin: false, seatNames: [], isListed: true };
    await site.database.prisma.user.create({ data: other });
    for (const user_id of ["77", "123456", String(colleagueId()), "1 OR 1=1", ""])
      await send(admin, "/settings/access/let-in", { user_id, role: "admin" });
    expect(await site.database.prisma.portalAdmin.count()).toBe(0);
    expect(await site.database.prisma.portalViewer.count()).toBe(0);
  });

  test("does not let somebody in anymore who has left the account", async () => {
    await know(portal.admin.userId, { superAdmin: true });
    await know(colleagueId(), {});
    await send(admin, "/settings/access/let-in", { user_id: String(colleagueId()), role: "admin" });
    const browser = await signIn(colleagueId());
    expect((await browser.get("/settings")).status).toBe(200);
    await know(colleagueId(), { isListed: false });
    expect((await browser.get("/settings")).status).toBe(403);
  });

  test("takes whoever installed the app for the admin if HubSpot does not say who is one, and says so", async () => {
    await site.database.prisma.portal.update({ where: { portalId }, data: { scopes: ["oauth"] } });
    const page = await admin.get("/settings/access");
    expect(page.status).toBe(200);
    expect(page.text).toContain("the user who installed the app is treated as an admin");
    const browser = await signIn(colleagueId());
    await site.database.prisma.portal.update({ where: { portalId }, data: { scopes: ["oauth"] } });
    expect((await browser.get("/settings")).status).toBe(403);
  });

  test("does not let an admin take themselves out", async () => {
    await site.database.prisma.portalAdmin.create({
      data: { portalId, userId: BigInt(portal.admin.userId) },
    });
    await know(portal.admin.userId, { superAdmin: false });
    await send(admin, "/settings/access/take-out", { user_id: String(portal.admin.userId) });
    expect((await admin.get("/settings/access")).text).toContain("You can't change your own access");
    expect(await site.database.prisma.portalAdmin.count()).toBe(1);
  });
});

describe("an install by somebody whom nobody has let in", () => {
  test.each([
    ["whom the user list has as no super admin", true],
    ["whom the user list does not have yet", false],
  ])("%s, lets them in neither with nor without the permission to read the list", async (_who, isKnown) => {
    await know(portal.admin.userId, { superAdmin: true, firstName: "Zoe" });
    if (isKnown) await know(colleagueId(), {});
    for (const withUserList of [false, true]) {
      const browser = await installAs(colleagueId(), { withUserList });
      const refused = await browser.get("/settings");
      expect([withUserList, refused.status]).toEqual([withUserList, 403]);
      expect(refused.text).toContain("Zoe");
      expect((await admin.get("/settings")).status).toBe(200);
      expect(await authorizer()).toBe(BigInt(portal.admin.userId));
    }
  });

  test("no longer does so if the list was never read: whoever installed first stays the admin", async () => {
    const browser = await installAs(colleagueId(), { withUserList: false });
    expect((await browser.get("/settings")).status).toBe(403);
    expect((await admin.get("/settings")).status).toBe(200);
    const page = await admin.get("/settings/access");
    expect(page.text).not.toContain("Installed the app");
  });

  test("makes them the admin if there is none: there never was a list, and the installer is unknown", async () => {
    await site.database.prisma.user.deleteMany();
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { authorizedByUserId: null, scopes: ["oauth"] },
    });
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "The app was uninstalled." });
    const again = await installAs(colleagueId(), { withUserList: false });
    expect((await again.get("/settings")).status).toBe(200);
    expect((await again.get("/settings/access")).text).toContain(
      "the user who installed the app is treated as an admin",
    );
  });

  test("makes an admin who installs again the one in whose name the app works", async () => {
    await know(portal.admin.userId, { superAdmin: true });
    portal.user(colleagueId()).superAdmin = true;
    await installAs(colleagueId(), { withUserList: true });
    expect(await authorizer()).toBe(BigInt(colleagueId()));
  });

  test("does not change who is a super admin where the list is only not read anymore, which the page says", async () => {
    await know(portal.admin.userId, { superAdmin: true });
    await know(colleagueId(), {});
    await installAs(portal.admin.userId, { withUserList: false });
    const page = await admin.get("/settings/access");
    expect(page.status).toBe(200);
    expect(page.text).toContain("The list may be out of date");
    expect(page.text).toContain("Super admin in HubSpot");
  });
});

describe("a session", () => {
  test("that was signed out opens nothing from a copy of its cookie either", async () => {
    const thief = site.browser();
    thief.setCookie("session", admin.cookie("session") ?? "");
    expect((await thief.get("/settings")).status).toBe(200);
    await send(admin, "/settings/sign-out", {});
    expect((await thief.get("/settings")).status).toBe(401);
    expect((await thief.get("/settings/activity")).status).toBe(401);
  });

  test("from before a disconnect does not come back to life when the account is connected again", async () => {
    const old = admin.cookie("session") ?? "";
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "The app was uninstalled." });
    // The reconnect is later than any two clocks differ.
    await install(site, admin, portal.portalId);
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { installedAt: new Date(Date.now() + 6_000) },
    });
    const before = site.browser();
    before.setCookie("session", old);
    expect((await before.get("/settings")).status).toBe(401);
  });
});

describe("a change of access", () => {
  const members = async () => {
    const where = { where: { portalId } };
    const [admins, viewers] = await Promise.all([
      site.database.prisma.portalAdmin.findMany(where),
      site.database.prisma.portalViewer.findMany(where),
    ]);
    return { admins: admins.map(({ userId }) => userId), viewers: viewers.map(({ userId }) => userId) };
  };
  const undo = async () => {
    const { text } = await admin.get("/settings/access");
    return admin.post("/settings/undo", {
      form_token: hiddenField(text, "form_token"),
      key: hiddenField(text, "key"),
      back: "/settings/access",
    });
  };

  test("can be taken back by whoever made it: giving, another role, and removing with the role", async () => {
    await know(portal.admin.userId, { superAdmin: true });
    await know(colleagueId(), { firstName: "Hanna" });
    const user_id = String(colleagueId());
    const is = BigInt(colleagueId());
    await send(admin, "/settings/access/let-in", { user_id, role: "viewer" });
    expect(await members()).toEqual({ admins: [], viewers: [is] });
    expect((await undo()).location).toBe(`${site.url}/settings/access`);
    expect((await admin.get("/settings/access")).text).toContain("Undone.");
    expect(await members()).toEqual({ admins: [], viewers: [] });
    await send(admin, "/settings/access/let-in", { user_id, role: "viewer" });
    await send(admin, "/settings/access/role", { user_id, role: "admin" });
    await undo();
    expect(await members()).toEqual({ admins: [], viewers: [is] });
    await send(admin, "/settings/access/role", { user_id, role: "admin" });
    await send(admin, "/settings/access/take-out", { user_id });
    expect(await members()).toEqual({ admins: [], viewers: [] });
    const { text } = await admin.get("/settings/access");
    const again = { form_token: hiddenField(text, "form_token"), key: hiddenField(text, "key") };
    await admin.post("/settings/undo", again);
    expect(await members()).toEqual({ admins: [is], viewers: [] });
    await admin.post("/settings/undo", again);
    expect((await admin.get("/settings")).text).toContain("Not undone");
    expect(await members()).toEqual({ admins: [is], viewers: [] });
    const entries = await site.database.prisma.auditEntry.findMany({
      where: { portalId, subject: "access" },
      orderBy: { id: "asc" },
    });
    expect(entries.map(({ action }) => action)).toEqual([
      ...["LET_IN", "TAKEN_OUT", "LET_IN", "CHANGED", "CHANGED", "CHANGED", "TAKEN_OUT", "LET_IN"],
    ]);
  });
});
