import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Settings } from "../world/options.js";

/** One authorization of the app by one user for one portal. */
export interface Grant {
  readonly portalId: number;
  readonly userId: number;
  scopes: readonly string[];
  readonly installId: string;
  refreshToken: string;
  /** The refresh token is dead; access tokens live out their time (docs/hubspot.md §2.5). */
  revoked: boolean;
  /** The app was uninstalled. */
  removed: boolean;
}

export interface AccessToken {
  readonly token: string;
  readonly grant: Grant;
  readonly issuedAtMs: number;
  expiresAtMs: number;
}

interface NewGrant {
  readonly portalId: number;
  readonly userId: number;
  readonly scopes: readonly string[];
}

/** The content of an authorization code until it is exchanged. */
interface CodeContent extends NewGrant {
  readonly redirectUri: string;
  /** PKCE S256 challenge, if the request has one. */
  readonly codeChallenge: string | undefined;
}

type Redemption =
  | { readonly kind: "granted"; readonly grant: Grant }
  | { readonly kind: "bad-code" } // unknown, used before, or too old
  | { readonly kind: "bad-redirect-uri" }
  | { readonly kind: "bad-code-verifier" };

export type Authentication =
  | { readonly kind: "valid"; readonly accessToken: AccessToken }
  | { readonly kind: "expired" }
  | { readonly kind: "unknown" };

/** Codes, grants and tokens of the one app. */
export class Grants {
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #codes = new Map<string, { content: CodeContent; expiresAtMs: number }>();
  readonly #byRefreshToken = new Map<string, Grant>();
  readonly #byAccessToken = new Map<string, AccessToken>();

  constructor(settings: Settings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  issueCode(content: CodeContent): string {
    const code = `na1-${randomUUID()}`;
    this.#codes.set(code, {
      content,
      expiresAtMs: this.#now() + this.#settings.authorizationCodeSeconds * 1000,
    });
    return code;
  }

  /** Exchanges a code. This uses it up, whatever the result. */
  redeem(code: string, presented: { redirectUri: string | null; codeVerifier: string | null }): Redemption {
    const entry = this.#codes.get(code);
    this.#codes.delete(code);
    if (entry === undefined || entry.expiresAtMs <= this.#now()) return { kind: "bad-code" };
    const { content } = entry;
    if (content.redirectUri !== presented.redirectUri) return { kind: "bad-redirect-uri" };
    if (
      content.codeChallenge !== undefined &&
      content.codeChallenge !== challengeOf(presented.codeVerifier ?? "")
    ) {
      return { kind: "bad-code-verifier" };
    }
    return { kind: "granted", grant: this.create(content) };
  }

  create({ portalId, userId, scopes }: NewGrant): Grant {
    const grant: Grant = {
      portalId,
      userId,
      scopes: [...scopes],
      installId: String(700_000_000 + this.#byRefreshToken.size),
      refreshToken: newRefreshToken(),
      revoked: false,
      removed: false,
    };
    this.#byRefreshToken.set(grant.refreshToken, grant);
    return grant;
  }

  issueAccessToken(grant: Grant): AccessToken {
    const nowMs = this.#now();
    const accessToken: AccessToken = {
      token: newAccessToken(),
      grant,
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + this.#settings.accessTokenSeconds * 1000,
    };
    this.#byAccessToken.set(accessToken.token, accessToken);
    return accessToken;
  }

  /** Undefined for a refresh token that is unknown, revoked, or from a removed install. */
  liveGrant(refreshToken: string): Grant | undefined {
    const grant = this.#byRefreshToken.get(refreshToken);
    return grant === undefined || grant.revoked || grant.removed ? undefined : grant;
  }

  rotate(grant: Grant): void {
    this.#byRefreshToken.delete(grant.refreshToken);
    grant.refreshToken = newRefreshToken();
    this.#byRefreshToken.set(grant.refreshToken, grant);
  }

  authenticate(token: string): Authentication {
    const accessToken = this.#byAccessToken.get(token);
    if (accessToken === undefined) return { kind: "unknown" };
    if (accessToken.expiresAtMs <= this.#now()) return { kind: "expired" };
    const { removed } = accessToken.grant;
    if (removed && !this.#settings.openQuestions.accessTokenSurvivesUninstall) return { kind: "unknown" };
    return { kind: "valid", accessToken };
  }

  /** Whether the app is installed in the portal: some grant of it is alive. */
  isInstalled(portalId: number): boolean {
    return [...this.#byRefreshToken.values()].some(
      (grant) => grant.portalId === portalId && !grant.revoked && !grant.removed,
    );
  }

  removePortal(portalId: number): void {
    for (const grant of this.#byRefreshToken.values()) if (grant.portalId === portalId) grant.removed = true;
  }

  /** Tokens issued before lose the scopes too. */
  withdrawScopes(portalId: number, withdrawn: readonly string[]): void {
    for (const grant of this.#byRefreshToken.values()) {
      if (grant.portalId === portalId)
        grant.scopes = grant.scopes.filter((scope) => !withdrawn.includes(scope));
    }
  }

  /** For one portal, or for all. */
  expireAccessTokens(portalId?: number): void {
    const nowMs = this.#now();
    for (const accessToken of this.#byAccessToken.values()) {
      if (portalId === undefined || accessToken.grant.portalId === portalId) accessToken.expiresAtMs = nowMs;
    }
  }
}

function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

function newRefreshToken(): string {
  return `na1-${randomUUID()}`;
}

/** Real ones grow with the scopes and may pass 300 characters (docs/hubspot.md §2.3): long enough to catch a short column. */
function newAccessToken(): string {
  return `CL${randomBytes(240).toString("base64url")}`;
}
