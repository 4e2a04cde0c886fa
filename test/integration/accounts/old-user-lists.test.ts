import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createLogger } from "#platform/observability/logger.js";
import { tellOfFixedUserLists } from "#worker/sweeps/watch-idle-portals.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addUser, appUsers, authorizeAs, until } from "../../support/authorizing.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let portalId: bigint;
let admin: Browser;

beforeAll(async () => {
  running = await startRunningApp({ workIntervals: { requestOldUserLists: 500, useIdleGrants: 500 } });
});

afterAll(() => running.close());

beforeEach(async () => {
  portal = addPlainPortal(running.simulator);
  portalId = BigInt(portal.portalId);
  ({ browser: admin } = await authorize(portal.admin.userId, "install"));
  await until(async () => {
    const { usersReadAt, directoryRequestedAt, directorySyncedAt } = await row();
    return usersReadAt !== null && (directoryRequestedAt ?? 0) <= (directorySyncedAt ?? 0);
  }, "the first copy was not made");
});

afterEach(() => {
  running.simulator.setFaults({});
});

const prisma = () => running.db.database.prisma;
const row = () => prisma().portal.findUniqueOrThrow({ where: { portalId } });
const authorize = (userId: number, by: "install" | "sign-in", withUserList = true) =>
  authorizeAs(running, { portal, userId, by, withUserList });

/** The account has been at rest, and its copy of the user list is this old. */
async function age(hours: number): Promise<void> {
  const at = new Date(Date.now() - hours * 3_600_000);
  const data = { usersReadAt: at, directorySyncedAt: at, directoryRequestedAt: null };
  await prisma().portal.update({ where: { portalId }, data });
}

/** HubSpot makes somebody else the super admin. */
function demote(): { former: number; successor: number } {
  const former = portal.admin;
  const successor = addUser(portal, { superAdmin: true });
  Object.assign(former, { superAdmin: false, canInstallApps: true });
  return { former: former.userId, successor };
}

const usersAreUnreadable = () => {
  running.simulator.setFaults({ users: { errorBefore: 1 } });
};

async function tab(userId: number, change?: { method: "PUT"; body: object }): Promise<number> {
  const path = `${running.publicUrl}/hubspot/settings/${change === undefined ? "overview" : "defaults"}`;
  return (await portal.hubspotFetch(path, { userId, ...change })).status;
}

describe("a sign-in", () => {
  test.each([
    ["with all permissions", true],
    ["without the permission to read users: then the account's own grant is asked with", false],
  ])("%s is judged by HubSpot's word of this moment, not by the copy", async (_how, withUserList) => {
    await age(0.1);
    const { former, successor } = demote();
    const { browser } = await authorize(former, "sign-in", withUserList);
    expect((await browser.get("/settings")).status).toBe(403);
    expect((await admin.get("/settings")).status).toBe(403);
    const { browser: next } = await authorize(successor, "sign-in", withUserList);
    expect((await next.get("/settings")).status).toBe(200);
  });

  test("opens no session, and changes nothing, while HubSpot cannot be asked", async () => {
    usersAreUnreadable();
    const { browser, answer } = await authorize(portal.admin.userId, "sign-in");
    expect(answer.status).toBe(502);
    expect(browser.cookieNames()).not.toContain("session");
    expect((await row()).status).toBe("CONNECTED");
  });
});

test("an install of a connected account opens no session either while HubSpot cannot be asked", async () => {
  usersAreUnreadable();
  const { browser } = await authorize(portal.admin.userId, "install");
  expect(browser.cookieNames()).not.toContain("session");
  expect((await row()).status).toBe("CONNECTED");
});

describe("an account at rest", () => {
  test("has its users read again within the hour, by one request, and an uninstall is noticed within a day", async () => {
    const [users, owners] = [portal.traffic.requestsOf("users"), portal.traffic.requestsOf("owners")];
    await age(1.1);
    demote();
    const other = addPlainPortal(running.simulator);
    await authorizeAs(running, {
      portal: other,
      userId: other.admin.userId,
      by: "install",
      withUserList: false,
    });
    const unused = { accessExpiresAt: new Date(Date.now() - 21 * 3_600_000) };
    await prisma().portalToken.update({ where: { portalId: BigInt(other.portalId) }, data: unused });
    other.uninstall();
    await until(
      async () => (await row()).usersReadAt!.getTime() > Date.now() - 60_000,
      "the user list was not read again",
    );
    expect(portal.traffic.requestsOf("users")).toBe(users + 1);
    expect(portal.traffic.requestsOf("owners")).toBe(owners);
    expect((await admin.get("/settings")).status).toBe(403);
    await until(async () => {
      const where = { portalId: BigInt(other.portalId) };
      return (await prisma().portal.findUniqueOrThrow({ where })).status === "DISCONNECTED";
    }, "the uninstall was not noticed");
  });

  test.each(["site", "tab"])("whose admin comes to the %s has them read again at once", async (where) => {
    await age(0.3);
    const { former } = demote();
    const come = async () => (where === "site" ? (await admin.get("/settings")).status : tab(former));
    expect(await come()).toBe(200);
    await until(async () => (await come()) === 403, "the former admin is still let in");
  });

  test("a user who is deactivated has no access once the list is read again", async () => {
    const [userId = 0] = appUsers(portal);
    await prisma().portalAdmin.create({ data: { portalId, userId: BigInt(userId) } });
    expect(await tab(userId)).toBe(200);
    await age(0.3);
    portal.user(userId).active = false;
    await until(async () => (await tab(userId)) === 403, "the deactivated user is still let in");
  });
});

describe("a copy more than a day old", () => {
  const change = { method: "PUT", body: { version: "0.", senderUserId: null, presetId: null } } as const;

  test("changes nothing on the site and in the tab until it has been read again", async () => {
    const { text } = await admin.get("/settings/danger");
    const form = { form_token: hiddenField(text, "form_token") };
    usersAreUnreadable();
    await age(25);
    expect((await admin.get("/settings")).status).toBe(200);
    const refused = await admin.post("/settings/danger/pause", form);
    expect(refused.status).toBe(503);
    expect(refused.text).toContain("who the admins of this account are");
    expect(await tab(portal.admin.userId, change)).toBe(503);
    expect(await prisma().portalSettings.count({ where: { portalId, pausedAt: { not: null } } })).toBe(0);
    running.simulator.setFaults({});
    await prisma().portal.update({ where: { portalId }, data: { usersRequestedAt: new Date() } });
    await until(
      async () => (await row()).usersReadAt!.getTime() > Date.now() - 60_000,
      "the user list was not read again",
    );
    expect((await admin.post("/settings/danger/pause", form)).status).toBe(303);
    expect(await tab(portal.admin.userId, change)).toBe(200);
  });

  test("that HubSpot does not let us renew stays in use; the page says so, and the admins are alerted once", async () => {
    portal.withdrawScopes(["settings.users.read"]);
    await age(25);
    await admin.get("/settings");
    await until(async () => (await row()).usersRefusedAt !== null, "HubSpot's refusal was not noted");
    await age(25);
    const page = await admin.get("/settings/access");
    expect(page.text).toContain("The list may be out of date");
    const form_token = hiddenField(page.text, "form_token");
    expect((await admin.post("/settings/danger/pause", { form_token })).status).toBe(303);
    const { pool } = running.db.database;
    const tell = () => tellOfFixedUserLists({ pool, logger: createLogger({ level: "silent" }) });
    for (const _time of [1, 2]) await tell();
    const where = { portalId, kind: "USER_LIST_OLD" };
    expect(await prisma().alert.count({ where })).toBe(2); // one for each channel
    await prisma().alertMark.updateMany({ where, data: { raisedAt: new Date(Date.now() - 7_200_000) } });
    await tell();
    expect(await prisma().alert.count({ where })).toBe(2);
  });
});

describe("a list that cannot be right", () => {
  test.each([
    ["is empty", () => true],
    ["names no super admin", (user: { superAdmin: boolean }) => user.superAdmin],
  ])("because it %s takes nobody's access away", async (_why, isMissing) => {
    const missing = [...portal.users.values()].filter(isMissing);
    missing.forEach((user) => (user.active = false));
    await prisma().portal.update({ where: { portalId }, data: { usersRequestedAt: new Date() } });
    await until(async () => (await row()).usersRefusedAt !== null, "the list was believed");
    expect((await admin.get("/settings")).status).toBe(200);
    expect((await admin.get("/settings/access")).text).toContain("The list may be out of date");
    missing.forEach((user) => (user.active = true));
    await prisma().portal.update({ where: { portalId }, data: { usersRequestedAt: new Date() } });
    await until(async () => (await row()).usersRefusedAt === null, "the list was not read again");
  });
});
