import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { AuthorizeRefused } from "../../../src/simulator/authorization/play-consent.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { SIMULATED_APP, startSimulatorForTest, type ParsedBody } from "../../support/simulated-app.js";

let nowMs: number;
let simulator: Simulator;
let portal: SimulatedPortal;

beforeEach(async () => {
  nowMs = Date.UTC(2026, 10, 20, 12);
  simulator = await startSimulatorForTest({ now: () => nowMs });
  portal = simulator.addPortal({ unavailableScopes: ["communication_preferences.read"] });
});
afterEach(() => simulator.close());

function authorizeUrl(changes: Record<string, string> = {}, path = "/oauth/authorize"): string {
  const url = new URL(path, simulator.url);
  url.search = new URLSearchParams({
    client_id: SIMULATED_APP.clientId,
    redirect_uri: SIMULATED_APP.redirectUris[0],
    scope: SIMULATED_APP.requiredScopes.join(" "),
    optional_scope: SIMULATED_APP.optionalScopes.join(" "),
    state: "our-state",
    ...changes,
  }).toString();
  return url.href;
}

async function post(
  path: string,
  fields: Record<string, string>,
): Promise<{ status: number; body: ParsedBody }> {
  const response = await fetch(simulator.url + path, {
    method: "POST",
    body: new URLSearchParams({
      client_id: SIMULATED_APP.clientId,
      client_secret: SIMULATED_APP.clientSecrets[0],
      ...fields,
    }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

function codeFrom(callback: string): string {
  return new URL(callback).searchParams.get("code") ?? "";
}

function exchange(code: string, changes: Record<string, string> = {}) {
  const redirect_uri = SIMULATED_APP.redirectUris[0];
  return post("/oauth/2026-09/token", { grant_type: "authorization_code", code, redirect_uri, ...changes });
}

function refresh(refresh_token: string) {
  return post("/oauth/2026-09/token", { grant_type: "refresh_token", refresh_token });
}

function details(accessToken: string): Promise<number> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return fetch(`${simulator.url}/account-info/2026-09/details`, { headers }).then(({ status }) => status);
}

async function install(): Promise<{ access_token: string; refresh_token: string; scopes: string[] }> {
  const code = codeFrom(simulator.authorize(authorizeUrl(), { portalId: portal.portalId }));
  return (await exchange(code)).body;
}

describe("the simulated consent page", () => {
  test("lets a person choose an account and sends the browser back with code and state", async () => {
    const page = await fetch(authorizeUrl());
    expect(await page.text()).toContain(`value="${portal.portalId}:${portal.admin.userId}"`);
    const answer = await fetch(authorizeUrl(), {
      method: "POST",
      body: new URLSearchParams({ identity: `${portal.portalId}:${portal.admin.userId}`, decision: "allow" }),
      redirect: "manual",
    });
    expect(answer.status).toBe(302);
    const callback = new URL(answer.headers.get("location") ?? "");
    expect(callback.origin + callback.pathname).toBe(SIMULATED_APP.redirectUris[0]);
    expect(callback.searchParams.get("state")).toBe("our-state");
    expect((await exchange(codeFrom(callback.href))).status).toBe(200);
  });

  test("escapes what the URL brings", async () => {
    simulator.addPortal({ name: `<script>alert(1)</script>` });
    expect(await (await fetch(authorizeUrl())).text()).not.toContain("<script>alert");
  });

  test("goes on without a click when told to", async () => {
    simulator.setAutoConsent({ portalId: portal.portalId });
    const answer = await fetch(authorizeUrl(), { redirect: "manual" });
    expect(answer.headers.get("location")).toMatch(/code=na1-/);
  });

  test.each([
    ["an unknown client id", { client_id: "someone-else" }],
    ["a redirect URL that is not registered", { redirect_uri: "https://evil.example/callback" }],
    ["a missing required scope", { scope: "oauth automation" }],
    [
      "a scope the app does not declare",
      { scope: `${SIMULATED_APP.requiredScopes.join(" ")} crm.lists.read` },
    ],
    ["an undeclared optional scope", { optional_scope: "crm.lists.read" }],
  ])("shows an error for %s and sends nobody anywhere", async (_case, changes) => {
    const answer = await fetch(authorizeUrl(changes), { redirect: "manual" });
    expect(answer.status).toBe(400);
    expect(() => simulator.authorize(authorizeUrl(changes), { portalId: portal.portalId })).toThrow(
      AuthorizeRefused,
    );
  });

  test("refuses users who may not install, and accounts the link is not for", () => {
    const rep = portal.senders[1]!;
    expect(() =>
      simulator.authorize(authorizeUrl(), { portalId: portal.portalId, userId: rep.userId }),
    ).toThrow(/permission/);
    rep.canInstallApps = true;
    expect(simulator.authorize(authorizeUrl(), { portalId: portal.portalId, userId: rep.userId })).toContain(
      "code=",
    );
    const other = simulator.addPortal();
    const link = authorizeUrl({}, `/oauth/${other.portalId}/authorize`);
    expect(() => simulator.authorize(link, { portalId: portal.portalId })).toThrow(/another account/);
  });

  test("tells the app of a denial, without a code", () => {
    const callback = new URL(simulator.authorize(authorizeUrl(), { portalId: portal.portalId, deny: true }));
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({
      error: "access_denied",
      state: "our-state",
    });
    expect(callback.searchParams.has("code")).toBe(false);
  });

  test("stops an account that cannot grant a required scope", () => {
    const starter = simulator.addPortal({ unavailableScopes: ["automation.sequences.read"] });
    expect(() => simulator.authorize(authorizeUrl(), { portalId: starter.portalId })).toThrow(/no access to/);
  });
});

describe("a simulated marketplace install", () => {
  test("asks the app to sign the user in first, then finalizes with its state", async () => {
    const step = new URL(simulator.beginMarketplaceInstall({ portalId: portal.portalId }));
    expect(step.searchParams.get("step")).toBe("authorize");
    const returnUrl = new URL(step.searchParams.get("returnUrl") ?? "");
    returnUrl.searchParams.set("state", "minted-by-us");
    const callback = new URL(simulator.authorize(returnUrl.href, { portalId: portal.portalId }));
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({
      step: "finalize",
      state: "minted-by-us",
    });
    const landing = callback.searchParams.get("returnUrl") ?? "";
    expect(await (await fetch(landing)).text()).toContain("not finished");
    expect((await exchange(codeFrom(callback.href))).status).toBe(200);
    expect(await (await fetch(landing)).text()).toContain("App installed");
  });

  test("without partner sign-in brings a code and no state", () => {
    const callback = new URL(simulator.installWithoutSignIn({ portalId: portal.portalId }));
    expect(callback.searchParams.has("code")).toBe(true);
    expect(callback.searchParams.has("state")).toBe(false);
  });
});

describe("the simulated token endpoint", () => {
  test("grants what the account can, and drops optional scopes it lacks", async () => {
    const { scopes } = await install();
    expect(scopes).toEqual([...SIMULATED_APP.requiredScopes, "settings.users.read"]);
  });

  test("takes a code once, before it is too old, for its redirect URL only", async () => {
    const code = codeFrom(simulator.authorize(authorizeUrl(), { portalId: portal.portalId }));
    expect((await exchange(code)).status).toBe(200);
    expect((await exchange(code)).body).toMatchObject({ error: "invalid_grant", status: "BAD_AUTH_CODE" });
    const late = codeFrom(simulator.authorize(authorizeUrl(), { portalId: portal.portalId }));
    nowMs += 60_000;
    expect((await exchange(late)).body.status).toBe("BAD_AUTH_CODE");
    const moved = codeFrom(simulator.authorize(authorizeUrl(), { portalId: portal.portalId }));
    expect((await exchange(moved, { redirect_uri: "http://localhost:3000/other" })).body.status).toBe(
      "BAD_REDIRECT_URI",
    );
  });

  test("holds a PKCE exchange to its verifier", async () => {
    const verifier = "v".repeat(43);
    const code_challenge = createHash("sha256").update(verifier).digest("base64url");
    const url = authorizeUrl({ code_challenge, code_challenge_method: "S256" });
    const [first, second] = [0, 1].map(() =>
      codeFrom(simulator.authorize(url, { portalId: portal.portalId })),
    );
    expect((await exchange(first!, { code_verifier: "w".repeat(43) })).body.status).toBe("BAD_CODE_VERIFIER");
    expect((await exchange(second!, { code_verifier: verifier })).status).toBe(200);
  });

  test("accepts either secret and refuses a wrong one without blaming the grant", async () => {
    const { refresh_token } = await install();
    const grant = { grant_type: "refresh_token", refresh_token };
    expect((await post("/oauth/2026-09/token", { ...grant, client_secret: "older-secret" })).status).toBe(
      200,
    );
    const refused = await post("/oauth/2026-09/token", { ...grant, client_secret: "wrong" });
    expect(refused).toMatchObject({
      status: 400,
      body: { error: "invalid_client", status: "BAD_CLIENT_SECRET" },
    });
  });

  test("gives access tokens that expire, refreshed by a refresh token that stays", async () => {
    const { access_token, refresh_token } = await install();
    expect(await details(access_token)).toBe(200);
    nowMs += 1_800_000;
    expect(await details(access_token)).toBe(401);
    const refreshed = await refresh(refresh_token);
    expect(refreshed.body.refresh_token).not.toBe(refresh_token);
    expect(await details(refreshed.body.access_token)).toBe(200);
    expect(portal.traffic.tokenRequests).toEqual({ authorization_code: 1, refresh_token: 1 });
  });

  test("kills a refresh token that was used, and can keep it instead", async () => {
    const { refresh_token } = await install();
    const rotated = (await refresh(refresh_token)).body.refresh_token;
    expect(rotated).not.toBe(refresh_token);
    expect((await refresh(refresh_token)).body.status).toBe("BAD_REFRESH_TOKEN");
    simulator.setOpenQuestions({ rotateRefreshTokens: false });
    expect((await refresh(rotated)).body.refresh_token).toBe(rotated);
    expect((await refresh(rotated)).status).toBe(200);
  });

  test("describes live tokens and calls dead ones inactive", async () => {
    const { access_token, refresh_token } = await install();
    const introspect = (token: string, token_type_hint: string) =>
      post("/oauth/2026-09/token/introspect", { token, token_type_hint }).then(({ body }) => body);
    const installer = { active: true, hub_id: portal.portalId, user_id: portal.admin.userId };
    expect(await introspect(access_token, "access_token")).toMatchObject({ ...installer, expires_in: 1800 });
    expect(await introspect(refresh_token, "refresh_token")).toMatchObject(installer);
    portal.uninstall();
    expect(await introspect(access_token, "access_token")).toEqual({ active: false });
    expect(await introspect(refresh_token, "refresh_token")).toEqual({ active: false });
  });

  test("revoking kills the refresh token but neither the access token nor the install's other grants", async () => {
    const { access_token, refresh_token } = await install();
    expect((await post("/oauth/2026-09/token/revoke", { token: refresh_token })).status).toBe(204);
    expect((await refresh(refresh_token)).body.status).toBe("BAD_REFRESH_TOKEN");
    expect(await details(access_token)).toBe(200);
  });

  test("uninstalling, by either side, ends everything; installing again starts again", async () => {
    const { access_token, refresh_token } = await install();
    const headers = { authorization: `Bearer ${access_token}` };
    const gone = await fetch(`${simulator.url}/appinstalls/2026-09/external-install`, {
      method: "DELETE",
      headers,
    });
    expect(gone.status).toBe(204);
    expect(await details(access_token)).toBe(401);
    expect((await refresh(refresh_token)).body).toMatchObject({
      error: "invalid_grant",
      status: "BAD_REFRESH_TOKEN",
    });
    expect(await details((await install()).access_token)).toBe(200);
  });

  test("can be out of order or deny the app itself", async () => {
    const { refresh_token } = await install();
    simulator.setTokenEndpoint("outage");
    expect((await refresh(refresh_token)).status).toBe(503);
    simulator.setTokenEndpoint("invalid_client");
    expect((await refresh(refresh_token)).body.error).toBe("invalid_client");
    simulator.setTokenEndpoint("ok");
    expect((await refresh(refresh_token)).status).toBe(200);
  });
});
