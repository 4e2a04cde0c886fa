/** What HubSpot gave for one portal: an answer of the token endpoint, completed by introspection. */
export interface Grant {
  portalId: bigint;
  accessToken: string;
  refreshToken: string;
  expiresInSeconds: number;
  /** Scopes actually granted; optional ones the account cannot have are missing (docs/hubspot.md §2.1). */
  scopes: string[];
  userId: bigint | null;
  userEmail: string | null;
  hubDomain: string | null;
}

/** Answer to a refresh. The refresh token is usually the same one again, but must be kept whatever it is (docs/hubspot.md §2.3). */
export interface RefreshedGrant {
  accessToken: string;
  refreshToken: string;
  expiresInSeconds: number;
}

/**
 * Trades a refresh token for new tokens. Throws errors with the codes `GRANT_REVOKED` (the portal is gone),
 * `APP_MISCONFIGURED` (our own credentials are refused) or `HUBSPOT_UNAVAILABLE` (try later with the same token).
 */
export type RefreshGrant = (refreshToken: string) => Promise<RefreshedGrant>;

/** Why a grant is saved: an admin authorised the app, or somebody only proved who they are. */
export type GrantOccasion = "install" | "sign-in";

export interface GrantTerms {
  readonly occasion: GrantOccasion;
  /** False where HubSpot could not be asked whether the user still is whom our copy of the user list says. */
  readonly isUserConfirmed: boolean;
}

/**
 * What became of a grant. `used`: it is the portal's from now on. `kept`: the portal's own stays, which is as good.
 * `not-connected`: the portal was not connected, and is not now.
 */
export interface SavedGrant {
  readonly kind: "used" | "kept" | "not-connected";
  /** Whether the portal had a working connection before. */
  readonly wasConnected: boolean;
  /** False where the app was never installed in the portal, and is not now. */
  readonly isKnown: boolean;
  /** Now, by the database's clock: the one the portal's times are of. */
  readonly at: Date;
}

/** Tokens of a portal as they lie in the database. `refreshTokenSealed` is unique to each save: it is the row's version. */
export interface SealedTokens {
  accessTokenSealed: string;
  refreshTokenSealed: string;
  accessExpiresAt: Date;
}

export interface StoredTokens extends SealedTokens {
  portalId: bigint;
  /** Judged by the database's clock, the one clock all processes share. */
  isLeased: boolean;
  /** Ms until a refresh may be tried again after one that failed, by the same clock; 0: at once. */
  refreshPutOffMs: number;
}
