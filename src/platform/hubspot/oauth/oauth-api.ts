import type { z } from "zod";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { HubSpotError, HubSpotUnavailable } from "../errors.js";
import {
  bodyOf,
  createOAuthTransport,
  type OAuthTransport,
  type OAuthTransportOptions,
} from "./oauth-transport.js";
import { introspectionAnswer, toError, tokenAnswer } from "./oauth-wire.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "./scopes.js";

/**
 * The result of exchanging an authorization code. The portal's identity comes from HubSpot's answer and from nowhere
 * else.
 */
export interface Grant {
  portalId: PortalId;
  accessToken: string;
  refreshToken: string;
  expiresInSeconds: number;
  /** Granted scopes: optional ones the account cannot have are missing (docs/hubspot.md §2.1). */
  scopes: string[];
  userId: UserId | null;
  userEmail: string | null;
  hubDomain: string | null;
}

export type CodeExchange = { kind: "granted"; grant: Grant } | { kind: "code-refused" }; // unknown, used before, or too old: start over

/** The answer to a refresh. It has to be stored whatever it is (docs/hubspot.md §2.3). */
export interface RefreshedGrant {
  accessToken: string;
  /** The returned token, or the one that was sent if none came back. */
  refreshToken: string;
  expiresInSeconds: number;
}

export interface AuthorizationRequest {
  readonly state: string;
  readonly portalId?: PortalId | undefined;
  /** Optional scopes that a feature being switched on needs. */
  readonly furtherScopes?: readonly string[];
}

export interface OAuthApi {
  /** The app's identity at HubSpot. */
  readonly clientId: string;
  readonly redirectUri: string;
  /** Where the browser goes for consent. `portalId` pre-selects the account on HubSpot's page (docs/hubspot.md §2.1). */
  authorizationUrl(request: AuthorizationRequest): string;
  /**
   * Exchanges a code, then introspects the token for the user's email and the account's domain.
   *
   * @throws AppMisconfigured, HubSpotUnavailable (also if HubSpot names no portal, or two), GrantRevoked.
   */
  exchangeCode(code: string): Promise<CodeExchange>;
  /** @throws GrantRevoked, AppMisconfigured, HubSpotUnavailable. */
  refreshGrant: (refreshToken: string) => Promise<RefreshedGrant>;
  /** A token of the app itself, of no account, for what HubSpot tells only apps. @throws the same. */
  appToken(scopes: string): Promise<Omit<RefreshedGrant, "refreshToken">>;
  /**
   * Revokes a refresh token; neither uninstalls the app nor ends access tokens already issued (docs/hubspot.md §2.5).
   * Throws the same.
   */
  revokeGrant(refreshToken: string): Promise<void>;
}

export interface OAuthApiOptions extends OAuthTransportOptions {
  /** Origin of HubSpot's UI, e.g. https://app.hubspot.com. */
  appUrl: string;
  /** Called with HubSpot's id of this app when an answer names it. */
  onAppId?: (appId: string) => void;
}

export function createOAuthApi(options: OAuthApiOptions): OAuthApi {
  const transport = createOAuthTransport(options);
  return {
    clientId: options.clientId,
    redirectUri: options.redirectUri,
    authorizationUrl: (request) => authorizationUrl(options, request),
    async exchangeCode(code) {
      const attempt = await transport.exchange(code);
      if (attempt.kind === "answered")
        return { kind: "granted", grant: await identify(transport, attempt.body, options.onAppId) };
      // Without a finer code, RFC 6749's invalid_grant is about the code here: there is no refresh token yet.
      if (attempt.refusal.kind === "code-refused" || attempt.refusal.kind === "revoked")
        return { kind: "code-refused" };
      throw toError(attempt.refusal);
    },
    async refreshGrant(refreshToken) {
      const tokens = read(tokenAnswer, bodyOf(await transport.refresh(refreshToken)));
      return {
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token ?? refreshToken,
        expiresInSeconds: tokens.expires_in,
      };
    },
    async appToken(scopes) {
      const { access_token, expires_in } = read(tokenAnswer, bodyOf(await transport.forApp(scopes)));
      return { accessToken: access_token, expiresInSeconds: expires_in };
    },
    async revokeGrant(refreshToken) {
      bodyOf(await transport.revoke(refreshToken));
    },
  };
}

/** Spaces are %20: HubSpot's own clients write them so, and `URLSearchParams` would write `+` (docs/hubspot.md §2.1). */
function authorizationUrl(
  { appUrl, clientId, redirectUri }: OAuthApiOptions,
  { state, portalId, furtherScopes = [] }: AuthorizationRequest,
): string {
  const account = portalId === undefined ? "" : `/${portalId}`;
  const query = Object.entries({
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: REQUIRED_SCOPES.join(" "),
    optional_scope: [...OPTIONAL_SCOPES, ...furtherScopes].join(" "),
    state,
  }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${appUrl}/oauth${account}/authorize?${query.join("&")}`;
}

async function identify(
  transport: OAuthTransport,
  body: unknown,
  onAppId?: (appId: string) => void,
): Promise<Grant> {
  const tokens = read(tokenAnswer, body);
  if (tokens.refresh_token === undefined)
    throw new HubSpotUnavailable("HubSpot's token answer has no refresh token");
  const facts = await introspect(transport, tokens);
  if (facts.app_id !== undefined) onAppId?.(facts.app_id);
  const portalId = tokens.hub_id ?? facts.hub_id;
  const userId = tokens.user_id ?? facts.user_id;
  if (portalId === undefined) throw new HubSpotUnavailable("HubSpot named no portal for the token it gave");
  if (facts.hub_id !== undefined && facts.hub_id !== portalId) {
    throw new HubSpotUnavailable("HubSpot named two portals for one token");
  }
  return {
    portalId: BigInt(portalId),
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expiresInSeconds: tokens.expires_in,
    scopes: tokens.scopes ?? facts.scopes ?? [],
    userId: userId === undefined ? null : BigInt(userId),
    userEmail: facts.user ?? null,
    hubDomain: facts.hub_domain ?? null,
  };
}

type TokenAnswer = z.infer<typeof tokenAnswer>;
type Introspection = Partial<z.infer<typeof introspectionAnswer>>;

/** A code works once: if only the email would be missing, a failed introspection must not waste the install. */
async function introspect(transport: OAuthTransport, tokens: TokenAnswer): Promise<Introspection> {
  try {
    return read(introspectionAnswer, bodyOf(await transport.introspect(tokens.access_token)));
  } catch (error) {
    if (error instanceof HubSpotError && tokens.hub_id !== undefined) return {};
    throw error;
  }
}

function read<Shape>(schema: z.ZodType<Shape>, body: unknown): Shape {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new HubSpotUnavailable(`HubSpot's OAuth answer is not usable: ${fields}`);
}
