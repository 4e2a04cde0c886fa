import { describe, expect, test } from "@jest/globals";
import jwt from "jsonwebtoken";
import { CLIENT, SESSION_SECRET, startSite } from "../../support/site.js";
import {
  site,
  browser,
  portalId,
  consentedCallback,
  connectedPortals,
  isSignedIn,
  useOAuthSite,
} from "../../support/oauth-site.js";

useOAuthSite();

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
    expect(site.woken).toEqual([BigInt(portalId)]);
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
    expect(text).toMatch(/href="\/settings\/(reconnect|sign-in)"/);
  }

  test("consent denied: says so, and how to start again", async () => {
    const start = await browser.get("/oauth/install");
    const callback = site.simulator.authorize(start.location ?? "", { portalId, deny: true });
    await expectRefusal(browser.get(callback), 403, "HubSpot didn't grant access");
    expect(await connectedPortals()).toEqual([]);
    expect(isSignedIn()).toBe(false);
  });

  test("a state older than ten minutes", async () => {
    const callback = await consentedCallback();
    site.clock.now = new Date(site.clock.now.getTime() + 601_000);
    await expectRefusal(browser.get(callback.href), 400, "This link expired");
    expect(await connectedPortals()).toEqual([]);
  });

  test("a state used twice, even with a new code", async () => {
    const first = await consentedCallback();
    await browser.get(first.href);
    const second = await consentedCallback();
    second.searchParams.set("state", first.searchParams.get("state") ?? "");
    await expectRefusal(browser.get(second.href), 400, "This link was already used");
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
    await expectRefusal(browser.get(second.href), 400, "HubSpot rejected the sign-in code");
  });

  test("a link finished in another browser, with or without an own round trip there", async () => {
    const callback = await consentedCallback();
    const other = site.browser();
    await expectRefusal(other.get(callback.href), 400, "Finish in the same browser");
    await other.get("/oauth/install");
    await expectRefusal(other.get(callback.href), 400, "Finish in the same browser");
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
      await expectRefusal(browser.get(callback.href), 400, "This link isn't valid");
    }
    const doubled = `${genuine.href}&state=${forgeries[1]}`;
    await expectRefusal(browser.get(doubled), 400, "This link isn't valid");
    expect(await connectedPortals()).toEqual([]);
  });

  test("HubSpot down, and HubSpot refusing our own credentials, are told apart", async () => {
    site.simulator.setTokenEndpoint("outage");
    await expectRefusal(browser.get((await consentedCallback()).href), 502, "HubSpot isn't responding");
    site.simulator.setTokenEndpoint("invalid_client");
    await expectRefusal(browser.get((await consentedCallback()).href), 500, "has a setup problem");
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
    const callback = new URL(secure.simulator.authorize(start.location ?? "", { portalId: id }));
    expect(callback.origin).toBe("https://enroller.example");
    const landing = await visitor.get(callback.pathname + callback.search);
    const session = landing.headers.getSetCookie().find((set) => set.includes("session="));
    expect(session).toMatch(/^__Host-session=[^;]+;/);
    for (const part of ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=28800"])
      expect(session?.split("; ")).toContain(part);
    expect(session).not.toContain("Domain");
  } finally {
    await secure.close();
  }
});
