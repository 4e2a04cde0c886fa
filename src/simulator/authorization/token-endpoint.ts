import { randomUUID } from "node:crypto";
import { NO_CONTENT, ok, type Answer } from "../wire/answer.js";
import type { World } from "../world/world.js";
import type { AccessToken, Grant } from "./grants.js";

/** One family of paths per OAuth version; all behave alike (docs/hubspot.md §2.3). */
const VERSIONS = ["v3", "2026-03", "2026-09"] as const;

export interface FormRoute {
  readonly method: "POST";
  readonly path: string;
  readonly answer: (world: World, form: URLSearchParams) => Answer;
}

export const TOKEN_ROUTES: readonly FormRoute[] = VERSIONS.flatMap((version): FormRoute[] => [
  { method: "POST", path: `/oauth/${version}/token`, answer: token },
  { method: "POST", path: `/oauth/${version}/token/introspect`, answer: introspect },
  { method: "POST", path: `/oauth/${version}/token/revoke`, answer: revoke },
]);

/** RFC 6749 fields next to HubSpot's own (docs/hubspot.md §2.6), plus those the OpenAPI `Error` schema requires. */
function refuseGrant(error: string, status: string, message: string): Answer {
  return {
    status: 400,
    body: {
      error,
      error_description: message,
      status,
      message,
      category: "VALIDATION_ERROR",
      correlationId: randomUUID(),
    },
  };
}

/** Credentials count only in the form body; undefined if they are right. */
function refuseClient(world: World, form: URLSearchParams): Answer | undefined {
  const { settings } = world;
  if (settings.tokenEndpoint === "outage")
    return { status: 503, html: "<html><body>Service Unavailable</body></html>" };
  if (settings.tokenEndpoint === "invalid_client" || form.get("client_id") !== settings.clientId) {
    return refuseGrant("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id");
  }
  if (!settings.clientSecrets.includes(form.get("client_secret") ?? "")) {
    return refuseGrant("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret");
  }
  return undefined;
}

function token(world: World, form: URLSearchParams): Answer {
  const refusal = refuseClient(world, form);
  if (refusal !== undefined) return refusal;
  switch (form.get("grant_type") ?? "") {
    case "authorization_code":
      return exchangeCode(world, form);
    case "refresh_token":
      return refresh(world, form);
    case "client_credentials":
      return clientCredentials(world, form);
    default:
      return refuseGrant("unsupported_grant_type", "BAD_GRANT_TYPE", "unknown or missing grant type");
  }
}

function exchangeCode(world: World, form: URLSearchParams): Answer {
  const outcome = world.grants.redeem(form.get("code") ?? "", {
    redirectUri: form.get("redirect_uri"),
    codeVerifier: form.get("code_verifier"),
  });
  switch (outcome.kind) {
    case "bad-code":
      return refuseGrant("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code");
    case "bad-redirect-uri":
      return refuseGrant(
        "invalid_grant",
        "BAD_REDIRECT_URI",
        "redirect URI does not match the initial authorization",
      );
    case "bad-code-verifier":
      return refuseGrant("invalid_grant", "BAD_CODE_VERIFIER", "code verifier does not match the challenge");
    case "granted":
      return tokens(world, outcome.grant, "authorized");
  }
}

function refresh(world: World, form: URLSearchParams): Answer {
  const grant = world.grants.liveGrant(form.get("refresh_token") ?? "");
  if (grant === undefined) {
    return refuseGrant("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked");
  }
  if (world.settings.openQuestions.rotateRefreshTokens) world.grants.rotate(grant);
  return tokens(world, grant, "refreshed");
}

function tokens(world: World, grant: Grant, what: "authorized" | "refreshed"): Answer {
  const { portalId, userId, scopes } = grant;
  const traffic = world.portals.get(portalId)?.traffic;
  const grantType = what === "authorized" ? "authorization_code" : "refresh_token";
  if (traffic !== undefined) traffic.tokenRequests[grantType] = (traffic.tokenRequests[grantType] ?? 0) + 1;
  world.signals.announce("grant", { portalId, what });
  return ok({
    token_type: "bearer",
    access_token: world.grants.issueAccessToken(grant).token,
    refresh_token: grant.refreshToken,
    expires_in: world.settings.accessTokenSeconds,
    token_use: "access_token",
    hub_id: portalId,
    user_id: userId,
    scopes,
  });
}

/** The app's own token for app-level APIs; not tied to a portal. */
function clientCredentials(world: World, form: URLSearchParams): Answer {
  const scopes = (form.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  return ok({
    token_type: "bearer",
    access_token: world.journal.issueToken(scopes),
    expires_in: 1800,
    token_use: "client_credentials",
    scopes,
  });
}

function introspect(world: World, form: URLSearchParams): Answer {
  const refusal = refuseClient(world, form);
  if (refusal !== undefined) return refusal;
  const value = form.get("token") ?? "";
  if (form.get("token_type_hint") === "refresh_token") {
    const grant = world.grants.liveGrant(value);
    return ok(
      grant ? { ...describe(world, grant), token: value, token_use: "refresh_token" } : { active: false },
    );
  }
  const found = world.grants.authenticate(value);
  return ok(found.kind === "valid" ? describeAccessToken(world, found.accessToken) : { active: false });
}

function describe(world: World, grant: Grant): Record<string, unknown> {
  const portal = world.portals.get(grant.portalId);
  return {
    active: true,
    hub_id: grant.portalId,
    user_id: grant.userId,
    app_id: Number(world.settings.appId),
    client_id: world.settings.clientId,
    user: portal?.users.get(grant.userId)?.email,
    hub_domain: `portal-${grant.portalId}.example`,
    scopes: grant.scopes,
    token_type: "bearer",
  };
}

function describeAccessToken(
  world: World,
  { token: value, grant, expiresAtMs }: AccessToken,
): Record<string, unknown> {
  const scopeText = grant.scopes.join(" ");
  return {
    ...describe(world, grant),
    token: value,
    token_use: "access_token",
    expires_in: Math.max(0, Math.round((expiresAtMs - world.now()) / 1000)),
    is_private_distribution: false,
    signed_access_token: {
      appId: Number(world.settings.appId),
      appInstallId: grant.installId,
      audience: "",
      expiresAt: expiresAtMs,
      hubId: grant.portalId,
      hublet: "na1",
      installingUserId: grant.userId,
      isPrivateDistribution: false,
      isServiceAccount: false,
      isUserLevel: false,
      newSignature: "",
      scopeToScopeGroupPks: "",
      scopes: scopeText,
      signature: "",
      trialScopeToScopeGroupPks: "",
      trialScopes: "",
      userId: grant.userId,
    },
  };
}

/**
 * Kills a refresh token. Neither uninstalls the app nor shortens access tokens already issued (docs/hubspot.md §2.5).
 */
function revoke(world: World, form: URLSearchParams): Answer {
  const refusal = refuseClient(world, form);
  if (refusal !== undefined) return refusal;
  const grant = world.grants.liveGrant(form.get("token") ?? "");
  if (grant !== undefined) {
    grant.revoked = true;
    world.signals.announce("grant", { portalId: grant.portalId, what: "revoked" });
  }
  return NO_CONTENT;
}
