import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import jwt from "jsonwebtoken";
import type { Browser } from "../../support/browser.js";
import { CLIENT, install, SESSION_SECRET, startSite, type Site } from "../../support/site.js";

let site: Site;
let browser: Browser;
let portalId: number;

beforeEach(async () => {
  site = await startSite();
  portalId = site.simulator.addPortal({ uiDomain: "app-eu1.hubspot.com" }).portalId;
  browser = site.browser();
});

afterEach(() => site.close());

/** A callback URL as HubSpot makes it after consent, with its own code and the state of this browser. */
async function consentedCallback(from: Browser = browser): Promise<URL> {
  const start = await from.get("/oauth/install");
  return new URL(site.simulator.authorize(start.location ?? "", { portalId }));
}

async function connectedPortals(): Promise<bigint[]> {
  const portals = await site.database.prisma.portal.findMany({ where: { status: "CONNECTED" } });
  return portals.map((portal) => portal.portalId);
}

function isSignedIn(): boolean {
  return browser.cookieNames().includes("session");
}

describe("an install from our own link", () => {
  test("goes to HubSpot's consent page with the scopes apart by %20 and a state", async () => {
    const { status, location = "" } = await browser.get("/oauth/install");
    expect(status).toBe(302);
    expect(location.startsWith(`${site.simulator.url}/oauth/authorize?client_id=${CLIENT.clientId}&`)).toBe(
      true,
    );
    expect(location).toContain("&scope=oauth%20automation%20automation.sequences.read%20");
    expect(location).toContain("&optional_scope=settings.users.read&state=");
    expect(location).not.toContain("+");
  });

  test("pre-selects the account it is asked for, and ignores what is no account id", async () => {
    expect(new URL((await browser.get(`/oauth/install?portalId=${portalId}`)).location ?? "").pathname).toBe(
      `/oauth/${portalId}/authorize`,
    );
    for (const nonsense of ["../x", "-1", "1&portalId=2", "9".repeat(30)]) {
      const { location } = await browser.get(`/oauth/install?portalId=${nonsense}`);
      expect(new URL(location ?? "").pathname).toBe("/oauth/authorize");
    }
  });

  test.each([-240, -60, 240])(
    "ends signed in, and a sign-in likewise, with a machine clock %i s from the database's",
    async (seconds) => {
      site.clock.now = new Date(Date.now() + seconds * 1_000);
      await browser.get((await consentedCallback()).href);
      expect((await browser.get("/settings")).status).toBe(200);
      await browser.get((await consentedCallback()).href);
      expect((await browser.get("/settings")).status).toBe(200);
    },
  );

  test("ends signed in on the settings page, with the portal connected and its directory asked for", async () => {
    const landing = await browser.get((await consentedCallback()).href);
    expect(landing).toMatchObject({ status: 303, location: `${site.url}/settings` });
    const session = landing.headers.getSetCookie().find((set) => set.startsWith("session="));
    for (const part of ["HttpOnly", "SameSite=Lax", "Path=/"]) expect(session?.split("; ")).toContain(part);
    const settings = await browser.get("/settings");
    expect(settings.status).toBe(200);
    expect(settings.text).toContain(String(portalId));
    expect(await connectedPortals()).toEqual([BigInt(portalId)]);
    expect(site.installed).toEqual([BigInt(portalId)]);
    const portal = await site.database.prisma.portal.findUniqueOrThrow({
      where: { portalId: BigInt(portalId) },
    });
    const admin = site.simulator.portals.get(portalId)?.admin;
    expect(portal).toMatchObject({
      authorizedByUserId: BigInt(admin?.userId ?? 0),
      authorizedByEmail: admin?.email,
    });
    expect(portal.hubDomain).toBe(`portal-${portalId}.example`);
    expect(portal.scopes).toContain("automation.sequences.enrollments.write");
    expect(portal.directoryRequestedAt).not.toBeNull();
  });

  test("takes the portal from HubSpot's answer, whatever the query says", async () => {
    const other = site.simulator.addPortal().portalId;
    const callback = await consentedCallback();
    for (const name of ["portalId", "hub_id", "portal_id"]) callback.searchParams.set(name, String(other));
    await browser.get(callback.href);
    expect(await connectedPortals()).toEqual([BigInt(portalId)]);
    expect((await browser.get("/settings")).text).not.toContain(String(other));
  });

  test("two begun side by side in one browser can both end", async () => {
    const [first, second] = [await consentedCallback(), await consentedCallback()];
    expect((await browser.get(second.href)).location).toBe(`${site.url}/settings`);
    expect((await browser.get(first.href)).location).toBe(`${site.url}/settings`);
  });

  test("is not used up by a link checker's HEAD request", async () => {
    const callback = await consentedCallback();
    const head = await fetch(callback, { method: "HEAD", redirect: "manual" });
    expect(head.status).toBe(405);
    expect((await browser.get(callback.href)).status).toBe(303);
  });

  test("leaves no code, state, token or secret in the log", async () => {
    const callback = await consentedCallback();
    await browser.get(callback.href);
    await browser.get(callback.href);
    const log = site.logLines.join("");
    expect(log).toContain("portal connected");
    const token = await site.vault.accessTokenFor(BigInt(portalId));
    const secrets = [
      callback.searchParams.get("code"),
      callback.searchParams.get("state"),
      CLIENT.clientSecret,
      token,
    ];
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});

describe("a round trip that must not count", () => {
  async function expectRefusal(
    answer: Promise<{ status: number; text: string }>,
    status: number,
    words: string,
  ) {
    const { status: given, text } = await answer;
    expect(given).toBe(status);
    expect(text).toContain(words);
    expect(text).toMatch(/href="\/(oauth\/install|settings\/sign-in)"/);
  }

  test("consent denied: says so, and how to start again", async () => {
    const start = await browser.get("/oauth/install");
    const callback = site.simulator.authorize(start.location ?? "", { portalId, deny: true });
    await expectRefusal(browser.get(callback), 403, "did not give Sequence Enroller access");
    expect(await connectedPortals()).toEqual([]);
    expect(isSignedIn()).toBe(false);
  });

  test("a state older than ten minutes", async () => {
    const callback = await consentedCallback();
    site.clock.now = new Date(site.clock.now.getTime() + 601_000);
    await expectRefusal(browser.get(callback.href), 400, "This took too long");
    expect(await connectedPortals()).toEqual([]);
  });

  test("a state used twice, even with a new code", async () => {
    const first = await consentedCallback();
    await browser.get(first.href);
    const second = await consentedCallback();
    second.searchParams.set("state", first.searchParams.get("state") ?? "");
    await expectRefusal(browser.get(second.href), 400, "Already used");
  });

  test("a state used twice at the same moment counts once", async () => {
    const callback = await consentedCallback();
    const answers = await Promise.all([1, 2, 3, 4].map(() => browser.get(callback.href)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 400, 400, 400]);
  });

  test("used states are forgotten once they have expired anyway", async () => {
    await browser.get((await consentedCallback()).href);
    site.clock.now = new Date(site.clock.now.getTime() + 3_600_000);
    await browser.get((await consentedCallback()).href);
    expect(await site.database.prisma.redeemedState.count()).toBe(1);
  });

  test("a code used twice", async () => {
    const first = await consentedCallback();
    await browser.get(first.href);
    const second = await consentedCallback();
    second.searchParams.set("code", first.searchParams.get("code") ?? "");
    await expectRefusal(browser.get(second.href), 400, "HubSpot did not accept the code");
  });

  test("a link finished in another browser, with or without an own round trip there", async () => {
    const callback = await consentedCallback();
    const other = site.browser();
    await expectRefusal(other.get(callback.href), 400, "Started in another browser");
    await other.get("/oauth/install");
    await expectRefusal(other.get(callback.href), 400, "Started in another browser");
    expect(other.cookieNames()).not.toContain("session");
    expect((await browser.get(callback.href)).status).toBe(303);
  });

  test("a state that is not ours", async () => {
    const genuine = await consentedCallback();
    const claims = jwt.decode(genuine.searchParams.get("state") ?? "") as jwt.JwtPayload;
    const header = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
    const unsigned = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
    const forgeries = [
      "",
      "rubbish",
      unsigned,
      jwt.sign(claims, "another secret altogether, also long"),
      jwt.sign(claims, SESSION_SECRET, { algorithm: "HS512" }),
      jwt.sign({ ...claims, aud: "settings-session" }, SESSION_SECRET),
      jwt.sign({ ...claims, iss: "somebody" }, SESSION_SECRET),
    ];
    for (const forgery of forgeries) {
      const callback = new URL(genuine);
      callback.searchParams.set("state", forgery);
      await expectRefusal(browser.get(callback.href), 400, "This link is not complete");
    }
    const doubled = `${genuine.href}&state=${forgeries[1]}`;
    await expectRefusal(browser.get(doubled), 400, "This link is not complete");
    expect(await connectedPortals()).toEqual([]);
  });

  test("HubSpot down, and HubSpot refusing our own credentials, are told apart", async () => {
    site.simulator.setTokenEndpoint("outage");
    await expectRefusal(browser.get((await consentedCallback()).href), 502, "HubSpot is not answering");
    site.simulator.setTokenEndpoint("invalid_client");
    await expectRefusal(browser.get((await consentedCallback()).href), 500, "not set up correctly");
    site.simulator.setTokenEndpoint("ok");
    expect((await browser.get((await consentedCallback()).href)).status).toBe(303);
  });

  test("no page repeats anything of the request", async () => {
    const attack = `<script>alert("x")</script>'"><img src=x onerror=alert(1)>`;
    const names = ["error", "error_description", "state", "code", "step", "returnUrl", "portalId"];
    for (const name of names) {
      for (const rest of ["", "&code=c", "&code=c&state=s", "&step=authorize"]) {
        const { text, headers } = await browser.get(
          `/oauth/callback?${name}=${encodeURIComponent(attack)}${rest}`,
        );
        expect(text).not.toContain("alert(");
        expect(headers.get("content-security-policy")).toContain("script-src 'self'");
        expect(headers.get("cache-control")).toBe("no-store");
        expect(headers.get("referrer-policy")).toBe("no-referrer");
      }
    }
  });
});

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
  });

  test("two returnUrls are none", async () => {
    const good = encodeURIComponent("https://app.hubspot.com/x");
    const answer = await browser.get(`/oauth/callback?step=authorize&returnUrl=${good}&returnUrl=${good}`);
    expect(answer.status).toBe(400);
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
    expect(site.installed).toEqual([BigInt(portalId)]);
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
    expect(site.installed).toHaveLength(2);
  });

  test("is connected again after a disconnect, with its settings", async () => {
    await install(site, browser, portalId);
    await site.database.prisma.portalSettings.create({ data: { portalId, defaultSenderUserId: 7 } });
    await site.vault.disconnect(BigInt(portalId), "uninstalled");
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
    expect(site.installed).toHaveLength(1);
  });
});

test("over https every cookie is Secure, HttpOnly, SameSite=Lax and bound to the host", async () => {
  const secure = await startSite({ publicUrl: "https://enroller.example" });
  try {
    const { headers } = await secure.browser().get("/oauth/install");
    const [cookie] = headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-oauth_browser=/);
    for (const part of ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"])
      expect(cookie).toContain(part);
    expect(headers.get("strict-transport-security")).toContain("max-age=31536000");
    const { portalId: id } = secure.simulator.addPortal();
    const visitor = secure.browser();
    const start = await visitor.get("/oauth/install");
    const landing = await visitor.get(secure.simulator.authorize(start.location ?? "", { portalId: id }));
    const session = landing.headers.getSetCookie().find((set) => set.includes("session="));
    expect(session).toMatch(/^__Host-session=[^;]+;/);
    for (const part of ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=28800"])
      expect(session?.split("; ")).toContain(part);
    expect(session).not.toContain("Domain");
  } finally {
    await secure.close();
  }
});
