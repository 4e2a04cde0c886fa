import { describe, expect, test } from "@jest/globals";
import { CLIENT, install } from "../../support/site.js";
import {
  site,
  browser,
  portalId,
  consentedCallback,
  connectedPortals,
  isSignedIn,
  useOAuthSite,
} from "../../support/oauth-site.js";
import { systemOf } from "../../support/actors.js";

useOAuthSite();

describe("an install from the marketplace, with our sign-in first", () => {
  test("gets its state at step=authorize and ends on HubSpot's page after step=finalize", async () => {
    const toHubSpot = await browser.get(site.simulator.beginMarketplaceInstall({ portalId }));
    expect(toHubSpot.status).toBe(302);
    expect(new URL(toHubSpot.location ?? "").searchParams.get("install")).toBeTruthy();
    const callback = new URL(site.simulator.authorize(toHubSpot.location ?? "", { portalId }));
    expect(callback.searchParams.get("step")).toBe("finalize");
    const landing = await browser.get(callback.href);
    expect(landing.location).toBe(callback.searchParams.get("returnUrl"));
    expect((await browser.get(landing.location ?? "")).text).toContain(`connected to account ${portalId}`);
    expect(await connectedPortals()).toEqual([BigInt(portalId)]);
    expect(isSignedIn()).toBe(true);
  });

  const forgeries = [
    "https://evil.example/",
    "https://app.hubspot.com.evil.example/",
    "https://evil.example/app.hubspot.com",
    "https://app.hubspot.com@evil.example/",
    "https://user@app.hubspot.com/",
    "https://app.hubspot.com:8443/",
    "http://app.hubspot.com/",
    "https://evilapp.hubspot.com/",
    "https://app-.hubspot.com/",
    "https://app-a.b.hubspot.com/",
    "https://app.hubspot.com./",
    "https://hubspot.com/",
    "https://appxhubspot.com/",
    "https:\\\\evil.example\\app.hubspot.com",
    "//app.hubspot.com/",
    "/settings",
    "javascript:alert(1)//https://app.hubspot.com",
    "data:text/html,x",
    "",
  ];

  test.each(forgeries)("is not sent on to %j before consent", async (forged) => {
    const answer = await browser.get(
      `/oauth/callback?step=authorize&returnUrl=${encodeURIComponent(forged)}`,
    );
    expect(answer).toMatchObject({ status: 400, location: undefined });
    expect(browser.cookieNames()).toEqual([]);
  });

  test.each(forgeries)("is not sent on to %j after consent, and lands on our own page", async (forged) => {
    const callback = await consentedCallback();
    callback.searchParams.set("step", "finalize");
    callback.searchParams.set("returnUrl", forged);
    expect((await browser.get(callback.href)).location).toBe(`${site.url}/settings`);
  });

  test("is not sent on to the consent page of another app, before or after consent", async () => {
    const consentPage = "https://app.hubspot.com/oauth/authorize";
    const ours = `client_id=${CLIENT.clientId}`;
    for (const query of [
      "client_id=another",
      `${ours}&client_id=another`,
      `${ours}&redirect_uri=https://evil.example/`,
      `${ours}&redirect_uri=${site.url}/oauth/callback/..%2f`,
      "%63lient_id=another",
    ]) {
      const returnUrl = encodeURIComponent(`${consentPage}?${query}`);
      const answer = await browser.get(`/oauth/callback?step=authorize&returnUrl=${returnUrl}`);
      expect(answer).toMatchObject({ status: 400, location: undefined });
      expect(browser.cookieNames()).toEqual([]);
    }
    const callback = await consentedCallback();
    callback.searchParams.set("returnUrl", `${consentPage}?client_id=another`);
    expect((await browser.get(callback.href)).location).toBe(`${site.url}/settings`);
  });

  test("is not sent on before consent with a state that is there already", async () => {
    for (const query of ["state=theirs", "state=", "a=1&state=theirs#x"]) {
      const returnUrl = encodeURIComponent(`https://app.hubspot.com/x?${query}`);
      const answer = await browser.get(`/oauth/callback?step=authorize&returnUrl=${returnUrl}`);
      expect(answer).toMatchObject({ status: 400, location: undefined });
    }
  });

  test("is sent on to our own consent page", async () => {
    const own = new URL((await browser.get("/oauth/install")).location ?? "");
    own.searchParams.delete("state");
    const returnUrl = encodeURIComponent(own.href);
    const answer = await browser.get(`/oauth/callback?step=authorize&returnUrl=${returnUrl}`);
    expect(answer.status).toBe(302);
    const location = new URL(answer.location ?? "");
    expect(location.searchParams.get("state")).toBeTruthy();
    location.searchParams.delete("state");
    expect(location.href).toBe(own.href);
  });

  test("two returnUrls count as none", async () => {
    const good = encodeURIComponent("https://app.hubspot.com/x");
    const answer = await browser.get(`/oauth/callback?step=authorize&returnUrl=${good}&returnUrl=${good}`);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
    expect(await connectedPortals()).toEqual([]);
  });

  test.each([
    "https://app.hubspot.com/x?a=1",
    "https://app-eu1.hubspot.com/x",
    "https://APP-na2.HubSpot.com:443/x",
  ])("is sent on to HubSpot at %s with the state appended", async (genuine) => {
    const answer = await browser.get(
      `/oauth/callback?step=authorize&returnUrl=${encodeURIComponent(genuine)}`,
    );
    expect(answer.status).toBe(302);
    const location = new URL(answer.location ?? "");
    expect(location.searchParams.get("state")).toBeTruthy();
    location.searchParams.delete("state");
    expect(location.href).toBe(new URL(genuine).href);
  });
});

describe("an install from the marketplace without our sign-in", () => {
  test("connects the portal but signs nobody in", async () => {
    const landing = await browser.get(site.simulator.installWithoutSignIn({ portalId }));
    expect(landing).toMatchObject({ status: 303, location: `${site.url}/settings/installed` });
    expect(await connectedPortals()).toEqual([BigInt(portalId)]);
    expect(site.woken).toEqual([BigInt(portalId)]);
    expect(isSignedIn()).toBe(false);
    const page = await browser.get(landing.location ?? "");
    expect(page.text).toContain("Sign in with HubSpot");
    expect((await browser.get("/settings")).status).toBe(401);
  });

  test("leaves a session of another portal as it was", async () => {
    await install(site, browser, portalId);
    const other = site.simulator.addPortal().portalId;
    const session = browser.cookie("session");
    await browser.get(site.simulator.installWithoutSignIn({ portalId: other }));
    expect(browser.cookie("session")).toBe(session);
  });
});

describe("a portal that is there already", () => {
  const tokensOf = (id: number) =>
    site.database.prisma.portalToken.findUniqueOrThrow({ where: { portalId: BigInt(id) } });
  const portalOf = (id: number) =>
    site.database.prisma.portal.findUniqueOrThrow({ where: { portalId: BigInt(id) } });

  test("keeps its settings through a reinstall and gets new tokens", async () => {
    await install(site, browser, portalId);
    await site.database.prisma.portalSettings.create({
      data: { portalId, defaultSenderUserId: 7, version: 3 },
    });
    const [tokens, portal] = [await tokensOf(portalId), await portalOf(portalId)];
    const accessToken = await site.vault.accessTokenFor(BigInt(portalId));
    await install(site, site.browser(), portalId);
    expect((await tokensOf(portalId)).refreshTokenSealed).not.toBe(tokens.refreshTokenSealed);
    expect(await site.vault.accessTokenFor(BigInt(portalId))).not.toBe(accessToken);
    expect(await site.database.prisma.portalSettings.findUnique({ where: { portalId } })).toMatchObject({
      defaultSenderUserId: 7n,
      version: 3,
    });
    expect((await portalOf(portalId)).installedAt).toEqual(portal.installedAt);
    expect(site.woken).toHaveLength(2);
  });

  test("is connected again after a disconnect, with its settings", async () => {
    await install(site, browser, portalId);
    await site.database.prisma.portalSettings.create({ data: { portalId, defaultSenderUserId: 7 } });
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "uninstalled" });
    await install(site, browser, portalId);
    expect(await portalOf(portalId)).toMatchObject({ status: "CONNECTED", disconnectedReason: null });
    expect(await site.database.prisma.portalSettings.findUnique({ where: { portalId } })).toMatchObject({
      defaultSenderUserId: 7n,
    });
  });

  test("does not change hands when somebody else only signs in", async () => {
    await install(site, browser, portalId);
    const before = await portalOf(portalId);
    const users = [...(site.simulator.portals.get(portalId)?.users.values() ?? [])];
    const colleague = users.find(({ superAdmin, active }) => !superAdmin && active);
    if (colleague !== undefined) colleague.canInstallApps = true;
    const visitor = site.browser();
    const start = await visitor.get("/settings/sign-in");
    const choice = { portalId, userId: colleague?.userId ?? 0 };
    const landing = await visitor.get(site.simulator.authorize(start.location ?? "", choice));
    expect(landing.location).toBe(`${site.url}/settings`);
    expect((await visitor.get("/settings")).text).toContain(colleague?.email);
    expect(await portalOf(portalId)).toMatchObject({
      authorizedByUserId: before.authorizedByUserId,
      authorizedByEmail: before.authorizedByEmail,
      directoryRequestedAt: before.directoryRequestedAt,
    });
    expect(site.woken).toHaveLength(1);
  });
});
