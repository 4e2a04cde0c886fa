import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createPortalGateway, type PortalGateway } from "#platform/hubspot/gateway.js";
import { createOAuthApi, type OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { FEATURE_SCOPES, OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { uninstall } from "#platform/hubspot/oauth/uninstall.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { RecordedRequest } from "../../src/simulator/world/request-log.js";
import type { Simulator } from "../../src/simulator/simulator.js";
import { readComponents } from "../support/hubspot-project.js";
import { requestValidator, responseValidator, specDirectory } from "../support/openapi.js";
import { SIMULATED_APP, startSimulatorForTest } from "../support/simulated-app.js";

const directory = specDirectory();
if (directory === undefined)
  console.warn("Skipped: HubSpot's OpenAPI files are not here; set HUBSPOT_SPEC_DIR to check by them.");

const suite = directory === undefined ? describe.skip : describe;

let simulator: Simulator;
let portal: SimulatedPortal;
let api: OAuthApi;

beforeAll(async () => {
  simulator = await startSimulatorForTest({ recordRequests: true });
  portal = simulator.addPortal({ contacts: 2 });
  api = createOAuthApi({
    clientId: SIMULATED_APP.clientId,
    clientSecrets: [SIMULATED_APP.clientSecrets[0]],
    apiUrl: simulator.url,
    appUrl: simulator.url,
    redirectUri: SIMULATED_APP.redirectUris[0],
  });
});

afterAll(() => simulator.close());

async function connect() {
  const callback = new URL(
    simulator.authorize(api.authorizationUrl({ state: "s" }), {
      portalId: portal.portalId,
      userId: portal.admin.userId,
    }),
  );
  const exchange = await api.exchangeCode(callback.searchParams.get("code") ?? "");
  if (exchange.kind !== "granted") throw new Error("HubSpot refused the code");
  return exchange.grant;
}

function gatewayOf(accessToken: string): PortalGateway {
  const budget = new RequestBudget({ limit: 110, windowMs: 10_000, now: () => performance.now() });
  const forPortal = createTransport({
    apiUrl: simulator.url,
    accessTokenFor: () => Promise.resolve(accessToken),
    renewAfterRefusal: () => Promise.reject(new Error("no other token")),
  });
  const takeSlot = () => Promise.resolve(budget.tryTake()!);
  return createPortalGateway(forPortal({ portalId: BigInt(portal.portalId), budget, takeSlot }));
}

suite("HubSpot's published contract is kept", () => {
  const check = (request: RecordedRequest | undefined): string[] => {
    if (request === undefined) return ["nothing was sent"];
    return [...requestValidator(directory ?? "")(request), ...responseValidator(directory ?? "")(request)];
  };
  const last = (method: string, path: RegExp): RecordedRequest | undefined =>
    simulator.requests.findLast((request) => request.method === method && path.test(request.path));

  test("by a read of many contacts, some of them gone: a 207 with those that exist", async () => {
    const { accessToken } = await connect();
    const [id = ""] = portal.contacts.keys();
    const found = await gatewayOf(accessToken).readContacts([id, "99999999"], ["email"]);
    expect([...found.keys()]).toEqual([id]);
    const request = last("POST", /\/batch\/read$/);
    expect(request?.status).toBe(207);
    expect(check(request)).toEqual([]);
  });

  test("by a revocation, which ends the grant", async () => {
    const { refreshToken } = await connect();
    await api.revokeGrant(refreshToken);
    expect(check(last("POST", /\/token\/revoke$/))).toEqual([]);
    await expect(api.refreshGrant(refreshToken)).rejects.toMatchObject({ code: "GRANT_REVOKED" });
  });

  test("by an uninstall, which has no body", async () => {
    const { accessToken, refreshToken } = await connect();
    await uninstall(
      { apiUrl: simulator.url, accessTokenFor: () => Promise.resolve(accessToken), timeoutMs: 3_000 },
      BigInt(portal.portalId),
    );
    const request = last("DELETE", /external-install$/);
    expect(request?.body).toBeUndefined();
    expect(check(request)).toEqual([]);
    await expect(api.refreshGrant(refreshToken)).rejects.toMatchObject({ code: "GRANT_REVOKED" });
  });
});

test("the authorize URL asks for what the project declares, each name once", () => {
  const text = api.authorizationUrl({ state: "a b&c", portalId: 7n });
  const url = new URL(text);
  expect(url.pathname).toBe("/oauth/7/authorize");
  expect([...url.searchParams.keys()]).toEqual([
    ...["client_id", "redirect_uri", "scope", "optional_scope", "state"],
  ]);
  expect(text).not.toContain("+");
  const { auth } = readComponents().get("app/app-hsmeta.json")?.config as {
    auth: Record<"requiredScopes" | "optionalScopes" | "redirectUrls", string[]>;
  };
  expect(url.searchParams.get("scope")?.split(" ")).toEqual(auth.requiredScopes);
  expect(url.searchParams.get("optional_scope")?.split(" ")).toEqual([...OPTIONAL_SCOPES]);
  const furtherScopes = Object.values(FEATURE_SCOPES).flat();
  const further = new URL(api.authorizationUrl({ state: "s", furtherScopes }));
  expect(further.searchParams.get("optional_scope")?.split(" ")).toEqual(auth.optionalScopes);
  expect([[...REQUIRED_SCOPES], [...OPTIONAL_SCOPES, ...furtherScopes]]).toEqual([
    auth.requiredScopes,
    auth.optionalScopes,
  ]);
  expect(
    auth.redirectUrls.map((redirect) => new URL(redirect.replace("${PUBLIC_URL}", "http://x")).pathname),
  ).toEqual([new URL(url.searchParams.get("redirect_uri") ?? "").pathname]);
  expect(url.searchParams.get("state")).toBe("a b&c");
});
