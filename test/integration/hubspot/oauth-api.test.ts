import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { AppMisconfigured, GrantRevoked, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { createOAuthApi, type OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";

/** HubSpot's OAuth endpoints with answers to order; the simulator gives only the answers HubSpot should give. */
let server: Server;
let answer: (path: string, form: URLSearchParams) => { status: number; body: unknown } | "cut";
let asked: { path: string; headers: Record<string, unknown>; form: URLSearchParams }[];
let apiUrl: string;

const TOKENS = {
  token_type: "bearer",
  access_token: "CLaccess",
  refresh_token: "na1-refresh",
  expires_in: 1800,
  token_use: "access_token",
  hub_id: 4455667,
  user_id: 998877,
  scopes: ["oauth"],
};
const FACTS = {
  active: true,
  hub_id: 4455667,
  user_id: 998877,
  user: "ann@acme.example",
  hub_domain: "acme.example",
};

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const path = request.url ?? "";
      const form = new URLSearchParams(text);
      asked.push({ path, headers: request.headers, form });
      const given = answer(path, form);
      if (given === "cut") return request.socket.destroy();
      const isText = typeof given.body === "string";
      response.writeHead(given.status, { "content-type": isText ? "text/html" : "application/json" });
      response.end(isText ? given.body : JSON.stringify(given.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function api(secrets: readonly [string, ...string[]] = ["new-secret"]): OAuthApi {
  const redirectUri = "https://enroller.example/oauth/callback";
  return createOAuthApi({
    clientId: "client",
    clientSecrets: secrets,
    apiUrl,
    appUrl: "https://app.hubspot.com",
    redirectUri,
  });
}

const isToken = (path: string) => path === "/oauth/2026-09/token";

describe("an exchange of a code", () => {
  test("posts forms to the dated endpoints, with the credentials in the body and nothing in the URL or headers", async () => {
    answer = (path) => ({ status: 200, body: isToken(path) ? TOKENS : FACTS });
    await api().exchangeCode("the-code");
    expect(asked.map(({ path }) => path)).toEqual([
      "/oauth/2026-09/token",
      "/oauth/2026-09/token/introspect",
    ]);
    for (const { headers } of asked) {
      expect(headers["content-type"]).toContain("application/x-www-form-urlencoded");
      expect(headers["authorization"]).toBeUndefined();
    }
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: "authorization_code",
      code: "the-code",
      redirect_uri: "https://enroller.example/oauth/callback",
      client_id: "client",
      client_secret: "new-secret",
    });
    expect(Object.fromEntries(asked[1]?.form ?? [])).toEqual({
      token: "CLaccess",
      token_type_hint: "access_token",
      client_id: "client",
      client_secret: "new-secret",
    });
  });

  test("learns the portal by introspection if the token answer does not name it", async () => {
    const { hub_id: _hub, user_id: _user, scopes: _scopes, ...nameless } = TOKENS;
    const facts = { ...FACTS, scopes: ["oauth", "automation"] };
    answer = (path) => ({ status: 200, body: isToken(path) ? nameless : facts });
    expect(await api().exchangeCode("c")).toEqual({
      kind: "granted",
      grant: {
        portalId: 4455667n,
        accessToken: "CLaccess",
        refreshToken: "na1-refresh",
        expiresInSeconds: 1800,
        scopes: ["oauth", "automation"],
        userId: 998877n,
        userEmail: "ann@acme.example",
        hubDomain: "acme.example",
      },
    });
  });

  test("gives no grant without a portal, or with two", async () => {
    const { hub_id: _hub, ...nameless } = TOKENS;
    answer = (path) => ({ status: 200, body: isToken(path) ? nameless : { active: false } });
    await expect(api().exchangeCode("c")).rejects.toBeInstanceOf(HubSpotUnavailable);
    answer = (path) => (isToken(path) ? { status: 200, body: nameless } : { status: 503, body: "down" });
    await expect(api().exchangeCode("c")).rejects.toBeInstanceOf(HubSpotUnavailable);
    answer = (path) => ({ status: 200, body: isToken(path) ? TOKENS : { ...FACTS, hub_id: 1 } });
    await expect(api().exchangeCode("c")).rejects.toBeInstanceOf(HubSpotUnavailable);
  });

  test("goes on without the email if only introspection fails: the code would be wasted", async () => {
    answer = (path) => (isToken(path) ? { status: 200, body: TOKENS } : "cut");
    expect(await api().exchangeCode("c")).toMatchObject({
      kind: "granted",
      grant: { portalId: 4455667n, userEmail: null },
    });
  });

  test.each([
    { status: "EXPIRED_AUTH_CODE" },
    { status: "SOME_NEW_AUTH_CODE_PROBLEM" },
    { status: "error", message: "missing or unknown auth code" },
    { errorType: "EXPIRED_AUTH_CODE", status: null },
  ])("tells a bad code by a value when HubSpot answers %j", async (body) => {
    answer = () => ({ status: 400, body });
    expect(await api().exchangeCode("c")).toEqual({ kind: "code-refused" });
  });

  test.each(["BAD_AUTH_CODE", undefined])("tells a bad code (status %s) by a value", async (status) => {
    answer = () => ({ status: 400, body: { error: "invalid_grant", status } });
    expect(await api().exchangeCode("c")).toEqual({ kind: "code-refused" });
  });

  test.each([[{}], [{ ...TOKENS, access_token: null }], [{ ...TOKENS, access_token: "" }], ["<html>"]])(
    "refuses an answer that is none: %j",
    async (body) => {
      answer = () => ({ status: 200, body });
      await expect(api().exchangeCode("c")).rejects.toBeInstanceOf(HubSpotUnavailable);
    },
  );
});

describe("a refresh", () => {
  test("keeps the presented refresh token if none comes back", async () => {
    const { refresh_token: _refresh, ...partial } = TOKENS;
    answer = () => ({ status: 200, body: partial });
    expect(await api().refreshGrant("na1-old")).toMatchObject({
      accessToken: "CLaccess",
      refreshToken: "na1-old",
    });
    expect(asked[0]?.form.get("refresh_token")).toBe("na1-old");
    expect(asked[0]?.form.get("grant_type")).toBe("refresh_token");
  });

  test("answers with the refresh token that came back, and believes no token to live longer than a day", async () => {
    answer = () => ({ status: 200, body: { ...TOKENS, refresh_token: "na1-rotated", expires_in: 1e300 } });
    expect(await api().refreshGrant("na1-old")).toMatchObject({
      refreshToken: "na1-rotated",
      expiresInSeconds: 86_400,
    });
  });

  const refusals = [
    [400, { error: "invalid_grant", status: "BAD_REFRESH_TOKEN" }, GrantRevoked],
    [401, { error: "invalid_grant" }, GrantRevoked],
    [400, { status: "BAD_REFRESH_TOKEN" }, GrantRevoked],
    [400, { error: "access_denied", status: "BAD_HUB" }, GrantRevoked],
    [400, { error: "invalid_client", status: "BAD_CLIENT_ID" }, AppMisconfigured],
    [401, { error: "invalid_client", status: "BAD_CLIENT_SECRET" }, AppMisconfigured],
    [400, { error: "invalid_grant", status: "BAD_REDIRECT_URI" }, AppMisconfigured],
    [400, { error: "unsupported_grant_type", status: "BAD_GRANT_TYPE" }, AppMisconfigured],
    [400, { message: "something new" }, AppMisconfigured],
    [400, { status: "BAD_HUB", errorType: null, message: {} }, GrantRevoked],
    [400, { error: "INVALID_GRANT" }, GrantRevoked],
    [400, { status: "error", category: "invalid_grant", message: "expired" }, GrantRevoked],
    [400, [{ status: "BAD_REFRESH_TOKEN" }], GrantRevoked],
    [403, { error: { code: "INVALID_GRANT" } }, HubSpotUnavailable],
    [403, "<html>blocked</html>", HubSpotUnavailable],
    [403, { error: "Forbidden by policy 7" }, HubSpotUnavailable],
    [405, "<html>Method Not Allowed</html>", HubSpotUnavailable],
    [400, "<html>Bad Request</html>", HubSpotUnavailable],
    [400, {}, HubSpotUnavailable],
    [404, {}, HubSpotUnavailable],
    [429, { status: "error", policyName: "TEN_SECONDLY_ROLLING" }, HubSpotUnavailable],
    [423, {}, HubSpotUnavailable],
    [477, {}, HubSpotUnavailable],
    [500, { error: "invalid_grant", status: "BAD_REFRESH_TOKEN" }, HubSpotUnavailable],
    [502, "<html>Bad Gateway</html>", HubSpotUnavailable],
    [503, "", HubSpotUnavailable],
    [200, "<html>maintenance</html>", HubSpotUnavailable],
  ] as const;

  test.each(refusals)("answered %i %j is told apart", async (status, body, kind) => {
    answer = () => ({ status, body });
    await expect(api().refreshGrant("na1-old")).rejects.toBeInstanceOf(kind);
  });

  test("is unavailable when the connection is cut or refused", async () => {
    answer = () => "cut";
    await expect(api().refreshGrant("na1-old")).rejects.toBeInstanceOf(HubSpotUnavailable);
    const gone = createOAuthApi({
      clientId: "client",
      clientSecrets: ["s"],
      apiUrl: "http://127.0.0.1:1",
      appUrl: "http://127.0.0.1:1",
      redirectUri: "http://localhost/oauth/callback",
    });
    await expect(gone.refreshGrant("na1-old")).rejects.toBeInstanceOf(HubSpotUnavailable);
  });

  test.each<[string, (echo: string) => unknown]>([
    ["a message", (message) => ({ status: "BAD_CLIENT_SECRET", message })],
    ["the name of the error", (error) => ({ error, error_description: error })],
    ["a status and an error type", (status) => ({ status, errorType: status })],
    ["nested errors", (code) => ({ errors: [{ code, message: code, context: { token: [code] } }] })],
    ["a page", (text) => `<html>${text}</html>`],
  ])("carries no token or secret in any error, though HubSpot repeats them in %s", async (_where, bodyOf) => {
    for (const status of [400, 401, 403, 500])
      for (const part of ["refresh_token", "client_secret", "all"]) {
        answer = (_path, form) => ({ status, body: bodyOf(form.get(part) ?? form.toString()) });
        const error: unknown = await api(["0a1b2c3d-new-secret"])
          .refreshGrant("na1-very-private")
          .catch((reason: unknown) => reason);
        const { message, stack, cause } = error as Error;
        const text = JSON.stringify([error, message, stack, cause]);
        for (const secret of ["very-private", "new-secret"])
          expect([status, part, text.includes(secret)]).toEqual([status, part, false]);
      }
  });
});

describe("while the client secret is rotated", () => {
  const acceptOnly = (secret: string) => (path: string, form: URLSearchParams) =>
    form.get("client_secret") === secret
      ? { status: 200, body: isToken(path) ? TOKENS : FACTS }
      : { status: 400, body: { error: "invalid_client", status: "BAD_CLIENT_SECRET" } };

  test("either of the two secrets serves", async () => {
    for (const secret of ["new-secret", "old-secret"]) {
      answer = acceptOnly(secret);
      expect((await api(["new-secret", "old-secret"]).refreshGrant("r")).accessToken).toBe("CLaccess");
      expect(await api(["new-secret", "old-secret"]).exchangeCode("c")).toMatchObject({ kind: "granted" });
    }
  });

  test("a third one does not", async () => {
    answer = acceptOnly("stolen");
    await expect(api(["new-secret", "old-secret"]).refreshGrant("r")).rejects.toBeInstanceOf(
      AppMisconfigured,
    );
  });

  test("a revoked grant is not tried again with the older secret", async () => {
    answer = () => ({ status: 400, body: { error: "invalid_grant", status: "BAD_REFRESH_TOKEN" } });
    await expect(api(["new-secret", "old-secret"]).refreshGrant("r")).rejects.toBeInstanceOf(GrantRevoked);
    expect(asked).toHaveLength(1);
  });
});

test("a revocation posts the refresh token and takes an empty answer for done", async () => {
  answer = () => ({ status: 204, body: "" });
  await api().revokeGrant("na1-old");
  expect(asked[0]?.path).toBe("/oauth/2026-09/token/revoke");
  expect(asked[0]?.form.get("token_type_hint")).toBe("refresh_token");
});
