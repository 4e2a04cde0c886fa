import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { appUsers, authorizeAs, until, type AuthorizeAs } from "../../support/authorizing.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const LIST = "settings.users.read";
const REVOKE = "/oauth/2026-09/token/revoke";

let running: RunningApp;
let portal: SimulatedPortal;
let portalId: bigint;
let admin: Browser;
/** Of the account, no super admin, may install apps. */
let colleague: number;

beforeAll(async () => {
  running = await startRunningApp({ simulator: { recordRequests: true } });
});

afterAll(() => running.close());

beforeEach(async () => {
  portal = addPlainPortal(running.simulator);
  portalId = BigInt(portal.portalId);
  [colleague = 0] = appUsers(portal);
  ({ browser: admin } = await authorize(portal.admin.userId, "install"));
});

const prisma = () => running.db.database.prisma;
const portalRow = () => prisma().portal.findUniqueOrThrow({ where: { portalId } });
const tokens = () => prisma().portalToken.findUnique({ where: { portalId } });
const authorize = (userId: number, by: AuthorizeAs["by"], withUserList = true) =>
  authorizeAs(running, { portal, userId, by, withUserList });
const waiting = () => prisma().grantRevocation.findMany({ where: { portalId } });
const revokedAtHubSpot = () =>
  running.simulator.requests.filter(({ path, status }) => path === REVOKE && status < 300).length;

/** Entries about the connection, oldest first, with the permissions before and after. */
async function audited() {
  const entries = await prisma().auditEntry.findMany({
    where: { portalId, subject: "portal" },
    orderBy: { id: "asc" },
  });
  const hasList = (side: unknown) => (side as { scopes?: string[] } | null)?.scopes?.includes(LIST);
  return entries.map(({ action, userId, before, after }) => [
    action,
    Number(userId),
    hasList(before),
    hasList(after),
  ]);
}

/** What the worker does in a minute's time. */
const dueNow = () =>
  prisma().grantRevocation.updateMany({ where: { portalId }, data: { dueAt: new Date() } });

/** A try that is under way puts its grant off when it fails, however it was due meanwhile: due again and again. */
async function untilRevoked(): Promise<void> {
  const isRevoked = async () => (await waiting()).length === 0 || (await dueNow(), false);
  await until(isRevoked, "not all grants were revoked", 15_000);
}

/** Whether HubSpot still renews the grant that we use. */
async function isAlive(): Promise<boolean> {
  running.simulator.expireAccessTokens(portal.portalId);
  await prisma().portalToken.update({ where: { portalId }, data: { accessExpiresAt: new Date(0) } });
  const requests = portal.traffic.tokenRequests["refresh_token"] ?? 0;
  await prisma().portal.update({ where: { portalId }, data: { directoryRequestedAt: new Date() } });
  await until(
    () => Promise.resolve((portal.traffic.tokenRequests["refresh_token"] ?? 0) > requests || true),
    "",
  );
  await until(async () => {
    const row = await tokens();
    return row === null || row.accessExpiresAt.getTime() > Date.now();
  }, "the grant was not renewed");
  return (await tokens()) !== null;
}

describe("somebody who does not administer the account", () => {
  test.each([
    ["signs in", "sign-in", false],
    ["signs in with all permissions", "sign-in", true],
    ["installs the app again", "install", false],
    ["installs it again with all permissions", "install", true],
  ] as const)("%s: the account's grant and permissions stay", async (_what, by, withUserList) => {
    const before = [await tokens(), (await portalRow()).scopes];
    const { browser } = await authorize(colleague, by, withUserList);
    expect((await browser.get("/settings")).status).toBe(403);
    const [row, scopes] = before;
    expect(await tokens()).toMatchObject({ grantedAt: (row as { grantedAt: Date }).grantedAt });
    expect((await portalRow()).scopes).toEqual(scopes);
    expect(await audited()).toHaveLength(1);
    expect(await waiting()).toHaveLength(1);
  });

  test("installs it from the marketplace, without a state: the grant stays, too", async () => {
    const { grantedAt } = (await tokens())!;
    const callback = running.simulator.installWithoutSignIn({ portalId: portal.portalId, userId: colleague });
    await fetch(callback, { redirect: "manual" });
    expect(await tokens()).toMatchObject({ grantedAt });
  });

  test.each(["sign-in", "install"] as const)(
    "%s after HubSpot has ended the grant: theirs is not used, and an admin's sign-in is, in the old name",
    async (by) => {
      portal.uninstall();
      running.simulator.expireAccessTokens(portal.portalId);
      for (const withUserList of [false, true]) await authorize(colleague, by, withUserList);
      expect(await portalRow()).toMatchObject({ status: "DISCONNECTED" });
      expect(await tokens()).toBeNull();
      expect((await audited()).map(([action]) => action)).toEqual(["CONNECTED", "DISCONNECTED"]);
      expect(await waiting()).toHaveLength(2);
      await authorize(portal.admin.userId, "sign-in");
      expect(await portalRow()).toMatchObject({
        status: "CONNECTED",
        authorizedByUserId: BigInt(portal.admin.userId),
      });
      expect((await audited()).at(-1)).toEqual(["CONNECTED", portal.admin.userId, true, true]);
      expect(await isAlive()).toBe(true);
    },
  );
});

describe("an admin", () => {
  test("signs in with fewer permissions, or the same: the grant stays", async () => {
    const { grantedAt } = (await tokens())!;
    for (const withUserList of [false, true]) await authorize(portal.admin.userId, "sign-in", withUserList);
    expect(await tokens()).toMatchObject({ grantedAt });
    expect((await portalRow()).scopes).toContain(LIST);
    expect(await audited()).toHaveLength(1);
  });

  test("installs with fewer permissions, then signs in with more: both are used, and both are noted", async () => {
    const { userId } = portal.admin;
    await authorize(userId, "install", false);
    expect((await portalRow()).scopes).not.toContain(LIST);
    await authorize(userId, "sign-in", true);
    expect((await portalRow()).scopes).toContain(LIST);
    expect((await audited()).slice(1)).toEqual([
      ["CONNECTED", userId, true, false],
      ["AUTHORIZED_AGAIN", userId, false, true],
    ]);
  });

  test("disconnected the account: nobody's sign-in connects it, the page says so, and offers it to admins alone", async () => {
    const form_token = hiddenField((await admin.get("/settings/danger")).text, "form_token");
    await admin.post("/settings/danger/disconnect", { form_token, confirmation: String(portalId) });
    const visitors = [];
    for (const userId of [colleague, portal.admin.userId])
      visitors.push((await authorize(userId, "sign-in")).browser);
    expect(await portalRow()).toMatchObject({ status: "DISCONNECTED" });
    expect(await tokens()).toBeNull();
    const [stranger, back] = await Promise.all(visitors.map((browser) => browser.get("/settings")));
    expect(stranger).toMatchObject({ status: 403 });
    expect(stranger?.text).toContain("is disconnected");
    expect(stranger?.text).not.toContain("/settings/reconnect");
    expect(back?.text).toContain("This account is disconnected");
    expect(back?.text).toContain('href="/settings/reconnect"');
    await authorize(portal.admin.userId, "install");
    expect(await portalRow()).toMatchObject({ status: "CONNECTED" });
  });
});

test("a sign-in to an account that never had the app installs nothing, and keeps nothing of who signed in", async () => {
  const other = addPlainPortal(running.simulator);
  const { answer, browser } = await authorizeAs(running, {
    portal: other,
    userId: other.admin.userId,
    by: "sign-in",
  });
  expect(answer.status).toBe(404);
  expect(answer.text).toContain("isn't installed");
  expect(browser.cookieNames()).not.toContain("session");
  const where = { portalId: BigInt(other.portalId) };
  expect(await prisma().portal.count({ where })).toBe(0);
  expect(await prisma().user.count({ where })).toBe(0);
  expect(await prisma().grantRevocation.count({ where })).toBe(1);
});

describe("a grant that is not used anymore", () => {
  test("is revoked at HubSpot, whoever's it was, and the one in use lives on", async () => {
    await authorize(portal.admin.userId, "install");
    await Promise.all([authorize(colleague, "sign-in"), authorize(colleague, "sign-in", false)]);
    const revoked = revokedAtHubSpot();
    expect(await waiting()).toHaveLength(3);
    await untilRevoked();
    expect(revokedAtHubSpot()).toBe(revoked + 3);
    expect(await isAlive()).toBe(true);
    expect(await portalRow()).toMatchObject({ status: "CONNECTED" });
  });

  test("is kept sealed, and is never the one in use, even where HubSpot gave the same twice", async () => {
    const { refreshTokenSealed } = (await tokens())!;
    await prisma().grantRevocation.create({ data: { portalId, refreshTokenSealed } });
    const revoked = revokedAtHubSpot();
    await untilRevoked();
    expect(revokedAtHubSpot()).toBe(revoked);
    expect(await isAlive()).toBe(true);
    await authorize(colleague, "sign-in");
    const [kept] = await waiting();
    expect(kept?.refreshTokenSealed).toMatch(/^v1\.test\./);
    await untilRevoked();
  });

  test("is tried again through a HubSpot outage, until HubSpot knows", async () => {
    await authorize(colleague, "sign-in");
    running.simulator.setTokenEndpoint("outage");
    await dueNow();
    await until(async () => (await waiting())[0]?.tries === 1, "no revocation was tried");
    await until(
      async () => ((await waiting())[0]?.dueAt.getTime() ?? 0) > Date.now() + 10_000,
      "it was not put off",
    );
    running.simulator.setTokenEndpoint("ok");
    await untilRevoked();
  });

  test("is revoked when an admin disconnects the account and HubSpot does not confirm the uninstall", async () => {
    running.simulator.failNext({ endpoint: "uninstall", fault: "errorBefore" });
    const form_token = hiddenField((await admin.get("/settings/danger")).text, "form_token");
    await admin.post("/settings/danger/disconnect", { form_token, confirmation: String(portalId) });
    expect(await portalRow()).toMatchObject({ status: "DISCONNECTED" });
    expect(await waiting()).toHaveLength(1);
    const revoked = revokedAtHubSpot();
    await untilRevoked();
    expect(revokedAtHubSpot()).toBe(revoked + 1);
  });
});
