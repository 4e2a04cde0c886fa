import type { RefreshedGrant } from "#platform/hubspot/oauth/oauth-api.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/**
 * Trades a refresh token for new tokens. Throws errors with the codes `GRANT_REVOKED` (the portal is gone),
 * `APP_MISCONFIGURED` (our own credentials are refused) or `HUBSPOT_UNAVAILABLE` (try later with the same token).
 */
export type RefreshGrant = (refreshToken: string) => Promise<RefreshedGrant>;

/** Why a grant is saved: an admin authorized the app, or a user only proved who they are. */
export type GrantOccasion = "install" | "sign-in";

/**
 * What HubSpot said about the user just now. `confirmed`: our copy of the user list says the same. `unreadable`:
 * nobody's grant lets us ask, so the copy stays what it was. `unanswered`: HubSpot could not be asked.
 */
export type SignerConfirmation = "confirmed" | "unreadable" | "unanswered";

export interface GrantTerms {
  readonly occasion: GrantOccasion;
  readonly signer: SignerConfirmation;
}

/**
 * The result of saving a grant. `used`: it is the portal's from now on. `kept`: the portal's own stays, which is as
 * good. `not-connected`: the portal was not connected, and is not now.
 */
export interface SavedGrant {
  readonly kind: "used" | "kept" | "not-connected";
  /** Whether the portal had a working connection before. */
  readonly wasConnected: boolean;
  /** False if the app was never installed in the portal, and is not now. */
  readonly isKnown: boolean;
  /** Now, by the database's clock, like all of the portal's times. */
  readonly at: Date;
}

/** Tokens of a portal as stored. `refreshTokenSealed` is unique to each save: it serves as the row's version. */
export interface SealedTokens {
  accessTokenSealed: string;
  refreshTokenSealed: string;
  accessExpiresAt: Date;
}

export interface StoredTokens extends SealedTokens {
  portalId: PortalId;
  /** Judged by the database's clock, the one clock all processes share. */
  isLeased: boolean;
  /** Ms until a refresh may be tried again after one that failed, by the same clock; 0: at once. */
  refreshPutOffMs: number;
}

/** Identifies a grant of a portal; it stays the same through refreshes. */
export interface GrantMark {
  readonly grantedAt: Date;
}
