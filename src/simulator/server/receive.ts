import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiRoute } from "../endpoints/call.js";
import { APP_ROUTES, type AppRoute } from "../journal/journal-routes.js";
import { API_ROUTES } from "../endpoints/routes.js";
import { SITE_ROUTES, type SiteRoute } from "../authorization/site.js";
import { RECORD_ROUTES } from "../pages/record-pages.js";
import type { AccessToken } from "../authorization/grants.js";
import { TOKEN_ROUTES, type FormRoute } from "../authorization/token-endpoint.js";
import { CONTROL_PREFIX, answerControl } from "../control/control-api.js";
import type { World } from "../world/world.js";
import { missingScopes, notFound, refuse, throttled, type Answer } from "../wire/answer.js";
import { parseJson, readBody, send } from "../wire/body.js";
import { carryOut, finish, type Exchange } from "./exchange.js";
import { Router, type Match } from "../wire/router.js";

type AnyRoute =
  | { readonly kind: "api"; readonly method: string; readonly path: string; readonly api: ApiRoute }
  | { readonly kind: "token"; readonly method: string; readonly path: string; readonly token: FormRoute }
  | { readonly kind: "app"; readonly method: string; readonly path: string; readonly app: AppRoute }
  | { readonly kind: "site"; readonly method: string; readonly path: string; readonly site: SiteRoute };

interface Incoming {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
}

const ROUTER = new Router<AnyRoute>([
  ...API_ROUTES.map((api): AnyRoute => ({ kind: "api", method: api.method, path: api.path, api })),
  ...TOKEN_ROUTES.map((token): AnyRoute => ({
    kind: "token",
    method: token.method,
    path: token.path,
    token,
  })),
  ...APP_ROUTES.map((app): AnyRoute => ({ kind: "app", method: app.method, path: app.path, app })),
  ...[...SITE_ROUTES, ...RECORD_ROUTES].map((site): AnyRoute => ({
    kind: "site",
    method: site.method,
    path: site.path,
    site,
  })),
]);

/** Answers one HTTP request. Both of HubSpot's hosts, and the simulator's own controls, live on this origin. */
export async function receive(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  const incoming: Incoming = { request, response, path, query };
  if (path.startsWith(CONTROL_PREFIX)) {
    send(response, await answerControl(world, { request, path, query, text: await readBody(request) }));
    return;
  }
  const match = ROUTER.find(request.method ?? "GET", path);
  if (match === undefined) {
    send(response, notFound(`The simulator has no ${request.method} ${path}`));
    return;
  }
  await dispatch(world, incoming, match);
}

function dispatch(world: World, incoming: Incoming, { route, params }: Match<AnyRoute>): Promise<void> {
  switch (route.kind) {
    case "api":
      return receiveApi(world, incoming, { route: route.api, params });
    case "token":
      return receiveToken(world, incoming, route.token);
    case "app":
      return receiveApp(world, incoming, { route: route.app, params });
    case "site":
      return receiveSite(world, incoming, { route: route.site, params });
  }
}

async function receiveSite(
  world: World,
  incoming: Incoming,
  { route, params }: Match<SiteRoute>,
): Promise<void> {
  const form = new URLSearchParams(await readBody(incoming.request));
  const target = incoming.request.url ?? "/";
  send(incoming.response, route.answer(world, { params, query: incoming.query, form, target }));
}

/** What the app asks for itself counts against no portal's rate limit either. */
async function receiveApp(
  world: World,
  { request, response }: Incoming,
  { route, params }: Match<AppRoute>,
): Promise<void> {
  const text = await readBody(request);
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  const scopes = world.journal.scopesOf(token ?? "");
  if (route.scope !== undefined && scopes === undefined)
    return send(
      response,
      refuse(401, { category: "INVALID_AUTHENTICATION", message: "not a token of the app" }),
    );
  if (route.scope !== undefined && scopes?.includes(route.scope) !== true)
    return send(response, missingScopes([route.scope]));
  send(response, route.answer(world, { params, body: text === "" ? undefined : parseJson(text) }));
}

/** Token requests do not count against any portal's rate limit. */
async function receiveToken(world: World, incoming: Incoming, route: FormRoute): Promise<void> {
  const fault = world.faults.draw("token", undefined);
  const text = await readBody(incoming.request);
  const exchange: Exchange = { ...incoming, endpoint: "token", portalId: undefined, text, headers: {} };
  const form = new URLSearchParams(text);
  await carryOut(world, exchange, { fault, work: () => route.answer(world, form) });
}

/** Who calls and whether the budget allows it is decided on arrival, before the body is read. */
async function receiveApi(
  world: World,
  incoming: Incoming,
  { route, params }: Match<ApiRoute>,
): Promise<void> {
  const authentication = authenticate(world, incoming.request.headers.authorization);
  const portalId = "grant" in authentication ? authentication.grant.portalId : undefined;
  const { headers, refusal } = portalId === undefined ? UNCOUNTED : admit(world, portalId);
  const fault = refusal === undefined ? world.faults.draw(route.endpoint, portalId) : undefined;
  const text = await readBody(incoming.request);
  const exchange: Exchange = { ...incoming, endpoint: route.endpoint, portalId, text, headers };
  if ("status" in authentication) return finish(world, exchange, authentication);
  if (refusal !== undefined) return finish(world, exchange, refusal);
  await carryOut(world, exchange, {
    fault,
    work: () => answerApi(world, { route, params, exchange, grantedBy: authentication }),
  });
}

function answerApi(
  world: World,
  {
    route,
    params,
    exchange,
    grantedBy,
  }: {
    route: ApiRoute;
    params: Readonly<Record<string, string>>;
    exchange: Exchange;
    grantedBy: AccessToken;
  },
): Answer {
  const { grant } = grantedBy;
  if (!route.scopes.some((scope) => grant.scopes.includes(scope))) return missingScopes(route.scopes);
  const portal = world.portals.get(grant.portalId);
  if (portal === undefined) return notFound("The account does not exist");
  const body = exchange.text === "" ? undefined : parseJson(exchange.text);
  return route.answer({ world, portal, grant, params, query: exchange.query, body, nowMs: world.now() });
}

function authenticate(world: World, header: string | undefined): AccessToken | Answer {
  const token = /^Bearer (\S+)$/i.exec(header ?? "")?.[1];
  const found = world.grants.authenticate(token ?? "");
  switch (found.kind) {
    case "valid":
      return found.accessToken;
    case "expired":
      return refuse(401, {
        category: "EXPIRED_AUTHENTICATION",
        message: "The OAuth token used to make this call expired.",
      });
    case "unknown":
      return refuse(401, {
        category: "INVALID_AUTHENTICATION",
        message: "Authentication credentials not found or not valid for this account.",
      });
  }
}

interface Admittance {
  readonly headers: Readonly<Record<string, string>>;
  readonly refusal: Answer | undefined;
}

const UNCOUNTED: Admittance = { headers: {}, refusal: undefined };

function admit(world: World, portalId: number): Admittance {
  const nowMs = world.machineNow();
  const traffic = world.portals.get(portalId)?.traffic;
  traffic?.arrived(nowMs);
  const { limit } = world.limiter;
  if (limit === undefined) return UNCOUNTED;
  const { admitted, remaining } = world.limiter.admit(portalId, nowMs);
  const headers = {
    "x-hubspot-ratelimit-max": String(limit.requests),
    "x-hubspot-ratelimit-remaining": String(remaining),
    "x-hubspot-ratelimit-interval-milliseconds": String(limit.windowMs),
  };
  if (admitted) return { headers, refusal: undefined };
  if (traffic !== undefined) traffic.throttled += 1;
  return { headers, refusal: throttled() };
}
