import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addUser, appUsers, authorizeAs, until, type AuthorizeAs } from "../../support/authorizing.js";
import type { Browser } from "../../support/browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let portalId: bigint;

beforeAll(async () => {
  running = await startRunningApp();
});

afterAll(() => running.close());

beforeEach(() => {
  portal = addPlainPortal(running.simulator);
  portalId = BigInt(portal.portalId);
});

const prisma = () => running.db.database.prisma;
const portalRow = () => prisma().portal.findUniqueOrThrow({ where: { portalId } });
const authorize = (userId: number, by: AuthorizeAs["by"], withUserList = true) =>
  authorizeAs(running, { portal, userId, by, withUserList });
const settings = async (browser: Browser) => (await browser.get("/settings")).status;

/** Installs as the super admin, and waits until the user list was read. */
async function installWithList(): Promise<Browser> {
  const { browser } = await authorize(portal.admin.userId, "install");
  await until(async () => (await portalRow()).usersReadAt !== null, "the user list was not read");
  return browser;
}

/** Installs as this user without the permission to read the list, so that none is ever read. */
async function installWithoutList(userId: number): Promise<Browser> {
  const { browser } = await authorize(userId, "install", false);
  await until(async () => (await portalRow()).directorySyncedAt !== null, "there is no directory");
  return browser;
}

/** The account is disconnected as when somebody removed the app in HubSpot, and that was noticed. */
async function removeInHubSpot(): Promise<void> {
  portal.uninstall();
  await prisma().portalToken.deleteMany({ where: { portalId } });
  await prisma().portal.update({ where: { portalId }, data: { status: "DISCONNECTED" } });
}

describe("a user with no more than HubSpot's permission to install apps", () => {
  test.each([
    ["removes the app in HubSpot, and installs it again without the permission to read users", false],
    ["removes it, and installs it again with that permission", true],
  ])("%s: stays out, and connects nothing", async (_what, withUserList) => {
    await installWithList();
    const newcomer = addUser(portal);
    await removeInHubSpot();
    const { browser } = await authorize(newcomer, "install", withUserList);
    expect((await portalRow()).status).toBe("DISCONNECTED");
    expect(await prisma().portalToken.count({ where: { portalId } })).toBe(0);
    expect((await browser.get("/settings")).text).toContain("Only an admin can reconnect it");
    for (const path of ["/settings", "/settings/access", "/settings/activity/export.csv"])
      expect([path, (await browser.get(path)).status]).toEqual([path, 403]);
    expect((await portalRow()).authorizedByUserId).toBe(BigInt(portal.admin.userId));
    const { browser: admin } = await authorize(portal.admin.userId, "sign-in");
    expect((await portalRow()).status).toBe("CONNECTED");
    expect(await settings(admin)).toBe(200);
    expect((await admin.get("/settings/access")).text).not.toContain("Installed the app");
  });

  test("gets no further by an install from the marketplace, which carries no state", async () => {
    await installWithList();
    const newcomer = addUser(portal);
    await removeInHubSpot();
    const callback = running.simulator.installWithoutSignIn({ portalId: portal.portalId, userId: newcomer });
    const answer = await fetch(callback, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([403, null]);
    expect(await answer.text()).toContain("Only an admin can connect this account again");
    const { browser } = await authorize(newcomer, "sign-in", false);
    expect(await settings(browser)).toBe(403);
    expect(await portalRow()).toMatchObject({
      status: "DISCONNECTED",
      authorizedByUserId: BigInt(portal.admin.userId),
    });
  });

  test("was a super admin until just now: the earlier list does not decide, whatever they leave out", async () => {
    const admin = await installWithList();
    expect(await settings(admin)).toBe(200);
    const former = portal.admin;
    const successor = addUser(portal, { superAdmin: true });
    Object.assign(former, { superAdmin: false, canInstallApps: true });
    await removeInHubSpot();
    for (const by of ["install", "sign-in"] as const)
      for (const withUserList of [false, true]) {
        await authorize(former.userId, by, withUserList);
        expect([by, withUserList, (await portalRow()).status]).toEqual([by, withUserList, "DISCONNECTED"]);
      }
    const { browser } = await authorize(successor, "install");
    expect(await settings(browser)).toBe(200);
    expect(await settings(admin)).not.toBe(200);
  });

  test("gets no further when our copy of the user list is gone: we remember that there was one", async () => {
    await installWithList();
    const newcomer = addUser(portal);
    await removeInHubSpot();
    await prisma().user.deleteMany({ where: { portalId } });
    await prisma().portal.update({ where: { portalId }, data: { authorizedByUserId: null } });
    const { browser } = await authorize(newcomer, "install", false);
    expect(await settings(browser)).toBe(403);
    expect((await portalRow()).authorizedByUserId).toBeNull();
  });

  test("takes nothing from whoever installed first, if there never was a list", async () => {
    const [first = 0, second = 0] = appUsers(portal);
    const installer = await installWithoutList(first);
    expect(await settings(installer)).toBe(200);
    await removeInHubSpot();
    const { browser } = await authorize(second, "install", false);
    expect(await settings(browser)).toBe(403);
    const { browser: back } = await authorize(first, "sign-in", false);
    expect(await settings(back)).toBe(200);
  });

  test("does not lock out who installed, by letting us read about themselves alone", async () => {
    const [first = 0, second = 0] = appUsers(portal);
    const installer = await installWithoutList(first);
    await authorize(second, "sign-in", true);
    expect(await settings(installer)).toBe(200);
  });
});

describe("whoever HubSpot says is a super admin now", () => {
  test("takes over by an install with that permission, though our copy does not have them", async () => {
    await installWithList();
    const successor = addUser(portal, { superAdmin: true });
    await removeInHubSpot();
    const { browser } = await authorize(successor, "install");
    expect(await settings(browser)).toBe(200);
    expect((await portalRow()).authorizedByUserId).toBe(BigInt(successor));
  });

  test("is the only admin of an account that someone else installed first", async () => {
    const [installer = 0] = appUsers(portal);
    const { browser } = await authorize(installer, "install");
    expect(await settings(browser)).toBe(403);
    const { browser: admin } = await authorize(portal.admin.userId, "sign-in");
    expect(await settings(admin)).toBe(200);
  });
});

describe("a user whom an admin gave access", () => {
  test("loses access once a complete list does not have them, whether or not it ever did", async () => {
    const [first = 0] = appUsers(portal);
    await installWithoutList(first);
    const gone = addUser(portal);
    await prisma().portalAdmin.create({ data: { portalId, userId: BigInt(gone) } });
    const ask = async () =>
      (await portal.hubspotFetch(`${running.publicUrl}/hubspot/settings/overview`, { userId: gone })).status;
    expect(await ask()).toBe(200);
    portal.user(gone).active = false;
    await authorize(portal.admin.userId, "install");
    await until(async () => (await portalRow()).usersReadAt !== null, "the user list was not read");
    expect(await ask()).toBe(403);
  });
});

describe("the operator's command", () => {
  const grantAdmin = (...given: string[]) =>
    promisify(execFile)(process.execPath, ["--import", "tsx", "src/bin/grant-admin.ts", ...given], {
      env: { ...process.env, ...running.environment, ROLE: "all" },
    });

  test("gives a user access if the old list's admins have left, and records it", async () => {
    await installWithList();
    const newcomer = addUser(portal);
    await removeInHubSpot();
    const { browser: refused } = await authorize(newcomer, "install", false);
    expect(await settings(refused)).toBe(403);
    const { stdout } = await grantAdmin(String(portalId), String(newcomer));
    expect(stdout).toContain(`User ${newcomer} may now use the settings pages of account ${portalId}.`);
    const { browser } = await authorize(newcomer, "install", false);
    expect(await settings(browser)).toBe(200);
    expect((await browser.get("/settings/audit")).text).toContain("access given");
  });

  test.each([
    [["0", "7"], "Usage"],
    [["123456789", "7"], "has never had the app"],
  ])("refuses %j", async (given, words) => {
    await expect(grantAdmin(...given)).rejects.toMatchObject({ stderr: expect.stringContaining(words) });
  });
});

describe("the admins are alerted", () => {
  const told = async () =>
    (await prisma().alert.findMany({ where: { portalId, kind: "ACCOUNT_CONNECTED", channel: "EMAIL" } })).map(
      ({ message }) => message,
    );

  test("each time another user connects the account again, but not if it is the same user", async () => {
    await installWithList();
    await authorize(portal.admin.userId, "install");
    expect(await told()).toEqual([]);
    const [first = 0, second = 0] = [1, 2].map(() => addUser(portal, { superAdmin: true }));
    const email = (userId: number) => portal.users.get(userId)?.email ?? "";
    for (const userId of [first, second]) {
      await removeInHubSpot();
      await authorize(userId, "install");
    }
    expect(await told()).toEqual([
      `${email(first)} connected the account again.`,
      `${email(second)} connected the account again.`,
    ]);
  });
});
