import type { World } from "../world/world.js";

/** What an app requests when it sends a browser to the consent page (docs/hubspot.md §2.1). */
export interface AuthorizeRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly optionalScopes: readonly string[];
  readonly state: string | undefined;
  readonly codeChallenge: string | undefined;
  /** From `/oauth/{portalId}/authorize`. */
  readonly portalId: number | undefined;
  /** For a marketplace install: parameters its callback carries besides code and state. */
  readonly extra: Readonly<Record<string, string>>;
}

export interface ConsentChoice {
  readonly portalId: number;
  /** Default: the portal's super admin. */
  readonly userId?: number;
  readonly deny?: boolean;
}

/** Where the browser goes next, or why it stays on one of HubSpot's error pages. */
export type ConsentOutcome =
  { readonly kind: "callback"; readonly url: string } | { readonly kind: "refused"; readonly reason: string };

export function readAuthorizeRequest(
  query: URLSearchParams,
  portalId?: number,
  extra: Readonly<Record<string, string>> = {},
): AuthorizeRequest {
  return {
    clientId: query.get("client_id") ?? "",
    redirectUri: query.get("redirect_uri") ?? "",
    scopes: words(query.get("scope")),
    optionalScopes: words(query.get("optional_scope")),
    state: query.get("state") ?? undefined,
    codeChallenge: query.get("code_challenge") ?? undefined,
    portalId,
    extra,
  };
}

/** Why HubSpot would show an error page instead of asking for consent; undefined if there is no error. */
export function problemWith(world: World, request: AuthorizeRequest): string | undefined {
  const { settings } = world;
  if (request.clientId !== settings.clientId) return "The client id does not belong to any app.";
  if (!settings.redirectUris.includes(request.redirectUri))
    return "The redirect URL does not match the app's registered URLs.";
  if (request.portalId !== undefined && !world.portals.has(request.portalId))
    return "There is no such account.";
  return problemWithScopes(world, request);
}

function problemWithScopes({ settings }: World, request: AuthorizeRequest): string | undefined {
  const missing = settings.requiredScopes.filter((scope) => !request.scopes.includes(scope));
  if (missing.length > 0) return `The authorization URL lacks required scopes: ${missing.join(", ")}.`;
  const inScope = [...settings.requiredScopes, ...settings.conditionalScopes];
  const declared = [...inScope, ...settings.optionalScopes];
  if (declared.length === 0) return undefined;
  const strangers = [
    ...request.scopes.filter((scope) => !inScope.includes(scope)),
    ...request.optionalScopes.filter((scope) => !declared.includes(scope)),
  ];
  return strangers.length > 0
    ? `The app does not declare these scopes as asked for: ${strangers.join(", ")}.`
    : undefined;
}

/** Carries out what the person on the consent page chose. */
export function decide(world: World, request: AuthorizeRequest, choice: ConsentChoice): ConsentOutcome {
  const problem = problemWith(world, request) ?? problemWithChoice(world, request, choice);
  if (problem !== undefined) return { kind: "refused", reason: problem };
  const parameters = choice.deny === true ? denial() : { code: codeFor(world, request, choice) };
  return { kind: "callback", url: callbackUrl(request, parameters) };
}

function problemWithChoice(
  world: World,
  request: AuthorizeRequest,
  choice: ConsentChoice,
): string | undefined {
  const portal = world.portals.get(choice.portalId);
  if (portal === undefined) return "There is no such account.";
  if (request.portalId !== undefined && request.portalId !== choice.portalId)
    return "The link is for another account.";
  if (choice.deny === true) return undefined;
  const user = choice.userId === undefined ? portal.admin : portal.users.get(choice.userId);
  if (user === undefined || !user.active) return "There is no such user in the account.";
  if (!user.superAdmin && !user.canInstallApps)
    return "You need the Marketplace access permission to install apps.";
  const unavailable = request.scopes.filter((scope) => portal.traits.unavailableScopes.includes(scope));
  if (unavailable.length > 0) return `Your account has no access to: ${unavailable.join(", ")}.`;
  return undefined;
}

/** Optional scopes the account's tier lacks are dropped silently (docs/hubspot.md §2.1). */
function codeFor(world: World, request: AuthorizeRequest, { portalId, userId }: ConsentChoice): string {
  const portal = world.portals.get(portalId);
  const unavailable = portal?.traits.unavailableScopes ?? [];
  const optional = request.optionalScopes.filter((scope) => !unavailable.includes(scope));
  return world.grants.issueCode({
    portalId,
    userId: userId ?? portal?.admin.userId ?? 0,
    scopes: [...new Set([...request.scopes, ...optional])],
    redirectUri: request.redirectUri,
    codeChallenge: request.codeChallenge,
  });
}

function denial(): Record<string, string> {
  return { error: "access_denied", error_description: "The user denied the app access to the account" };
}

function callbackUrl(request: AuthorizeRequest, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(request.redirectUri);
  const state = request.state === undefined ? {} : { state: request.state };
  for (const [name, value] of Object.entries({ ...parameters, ...state, ...request.extra }))
    url.searchParams.set(name, value);
  return url.href;
}

function words(text: string | null): string[] {
  return (text ?? "").split(/[ +]/).filter((word) => word !== "");
}
