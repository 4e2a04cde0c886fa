import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { install, startSite, type Site } from "../../support/site.js";

const ADDRESS = "agent@agency.example";
let site: Site;
let acme: SimulatedPortal;
let bolt: SimulatedPortal;

beforeAll(async () => {
  site = await startSite();
  for (const name of ["acme", "bolt"]) {
    const portal = site.simulator.addPortal();
    portal.admin.email = ADDRESS;
    await install(site, site.browser(), portal.portalId);
    await site.database.prisma.portal.update({
      where: { portalId: BigInt(portal.portalId) },
      data: { hubDomain: `${name}.example` },
    });
    if (name === "acme") acme = portal;
    else bolt = portal;
  }
});

afterAll(() => site.close());

async function signIn(browser: Browser, portal: SimulatedPortal, userId = portal.admin.userId) {
  const start = await browser.get("/settings/sign-in");
  await browser.get(site.simulator.authorize(start.location ?? "", { portalId: portal.portalId, userId }));
}

/** A browser of the agency's, signed in to both accounts, with the second in use. */
async function agencyBrowser(): Promise<Browser> {
  const browser = site.browser();
  await signIn(browser, acme);
  await signIn(browser, bolt);
  return browser;
}

async function switchTo(browser: Browser, portal: SimulatedPortal) {
  const page = await browser.get("/settings");
  const form_token = hiddenField(page.text, "form_token");
  return browser.post("/settings/accounts/switch", { form_token, account: String(portal.portalId) });
}

const accountShown = async (browser: Browser, path = "/settings"): Promise<string> =>
  /(acme|bolt)\.example · \d+/.exec((await browser.get(path)).text)?.[1] ?? "none";

test("whoever signed in to two accounts goes from one to the other without HubSpot", async () => {
  const browser = await agencyBrowser();
  const list = (await browser.get("/settings/accounts")).text;
  expect([list.includes("acme.example"), list.includes("bolt.example")]).toEqual([true, true]);
  expect(await accountShown(browser)).toBe("bolt");
  expect((await switchTo(browser, acme)).location).toMatch(/\/settings$/);
  expect(await accountShown(browser)).toBe("acme");
  await switchTo(browser, bolt);
  expect(await accountShown(browser)).toBe("bolt");
});

test("a form of one account is refused once another is in use, and changes neither", async () => {
  const browser = await agencyBrowser();
  const form_token = hiddenField((await browser.get("/settings/danger")).text, "form_token");
  await switchTo(browser, acme);
  const answer = await browser.post("/settings/danger/pause", { form_token });
  expect([answer.status, answer.text.includes("switched to another account")]).toEqual([403, true]);
  expect(await site.database.prisma.portalSettings.count({ where: { pausedAt: { not: null } } })).toBe(0);
  // Back there, the same page's form is good again.
  await switchTo(browser, bolt);
  expect((await browser.post("/settings/danger/pause", { form_token })).status).toBe(303);
  const paused = await site.database.prisma.portalSettings.findMany({ where: { pausedAt: { not: null } } });
  expect(paused.map(({ portalId }) => Number(portalId))).toEqual([bolt.portalId]);
  await browser.post("/settings/danger/resume", { form_token });
});

test("a page of one account that is still open gets no part of another", async () => {
  const browser = await agencyBrowser();
  const ofBolt = { "X-Page-Account": String(bolt.portalId) };
  expect((await browser.get("/settings/waiting", ofBolt)).status).toBe(200);
  await switchTo(browser, acme);
  const part = await browser.get("/settings/waiting", ofBolt);
  expect([part.status, part.text, part.headers.get("hx-refresh")]).toEqual([401, "", "true"]);
});

test("each account is judged as of now: of one whose admin they are no more, nothing is told but the number", async () => {
  const browser = await agencyBrowser();
  const user = { portalId: BigInt(acme.portalId), userId: BigInt(acme.admin.userId) };
  const key = { portalId_userId: user };
  await site.database.prisma.user.upsert({
    where: key,
    create: { ...user, superAdmin: false, seatNames: [], isListed: true },
    update: { superAdmin: false },
  });
  const list = (await browser.get("/settings/accounts")).text;
  expect([list.includes("acme.example"), list.includes(String(acme.portalId))]).toEqual([false, true]);
  await switchTo(browser, acme);
  expect((await browser.get("/settings")).status).toBe(403);
  // And from there the way back is open.
  await switchTo(browser, bolt);
  expect(await accountShown(browser)).toBe("bolt");
  await site.database.prisma.user.update({ where: key, data: { superAdmin: true } });
});

test("another person who signs in to the same browser does not get the accounts of the one before", async () => {
  const browser = site.browser();
  await signIn(browser, acme);
  bolt.admin.email = "somebody@else.example";
  try {
    await signIn(browser, bolt);
    const list = (await browser.get("/settings/accounts")).text;
    expect([list.includes(String(bolt.portalId)), list.includes(String(acme.portalId))]).toEqual([
      true,
      false,
    ]);
    await switchTo(browser, acme);
    expect(await accountShown(browser)).toBe("bolt");
  } finally {
    bolt.admin.email = ADDRESS;
  }
});

test("signing out leaves every account, also for a copy of the cookie", async () => {
  const browser = await agencyBrowser();
  const thief = site.browser();
  thief.setCookie("session", browser.cookie("session") ?? "");
  const form_token = hiddenField((await browser.get("/settings")).text, "form_token");
  await browser.post("/settings/sign-out", { form_token });
  expect((await thief.get("/settings/accounts")).status).toBe(401);
  const before = thief.cookie("session") ?? "";
  await thief.post("/settings/accounts/switch", { form_token, account: String(acme.portalId) });
  expect((await thief.get("/settings")).status).toBe(401);
  expect(before).not.toBe("");
});

test("signing out leaves the other accounts, too, where the session of the one in use had ended", async () => {
  const browser = await agencyBrowser();
  const form_token = hiddenField((await browser.get("/settings")).text, "form_token");
  const copies = [site.browser(), site.browser()];
  for (const copy of copies) copy.setCookie("session", browser.cookie("session") ?? "");
  await switchTo(copies[0] as Browser, acme);
  expect(await accountShown(copies[0] as Browser)).toBe("acme");
  const [, payload = ""] = (browser.cookie("session") ?? "").split(".");
  const { jti } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { jti: string };
  await site.database.prisma.revokedSession.create({
    data: { sessionId: jti, expiresAt: new Date(Date.now() + 3_600_000) },
  });
  expect((await browser.get("/settings")).status).toBe(401);
  await browser.post("/settings/sign-out", { form_token });
  expect((await (copies[0] as Browser).get("/settings")).status).toBe(401);
});
