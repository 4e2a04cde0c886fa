import type { Cipher } from "./cipher.js";
import type { RefreshedGrant } from "#platform/hubspot/oauth/oauth-api.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { SealedTokens, StoredTokens } from "./grant.js";

/** A decrypted access token; lives in memory only. */
export interface LiveToken {
  accessToken: string;
  expiresAtMs: number;
}

const ACCESS_FIELD = "access_token_sealed";
const REFRESH_FIELD = "refresh_token_sealed";

/** @param grantedAtMs when the tokens were requested: counting from the answer would overstate their life. */
export function sealTokens(
  cipher: Cipher,
  portalId: PortalId,
  { grant, grantedAtMs }: { grant: RefreshedGrant; grantedAtMs: number },
): SealedTokens {
  return {
    accessTokenSealed: cipher.seal(grant.accessToken, { portalId, field: ACCESS_FIELD }),
    refreshTokenSealed: cipher.seal(grant.refreshToken, { portalId, field: REFRESH_FIELD }),
    accessExpiresAt: new Date(grantedAtMs + grant.expiresInSeconds * 1000),
  };
}

/** @throws SealKeyUnknown, SealBroken. */
export function openAccessToken(cipher: Cipher, row: StoredTokens): LiveToken {
  const accessToken = cipher.open(row.accessTokenSealed, { portalId: row.portalId, field: ACCESS_FIELD });
  return { accessToken, expiresAtMs: row.accessExpiresAt.getTime() };
}

/** @throws SealKeyUnknown, SealBroken. */
export function openRefreshToken(
  cipher: Cipher,
  row: Pick<StoredTokens, "portalId" | "refreshTokenSealed">,
): string {
  return cipher.open(row.refreshTokenSealed, { portalId: row.portalId, field: REFRESH_FIELD });
}

/** The same tokens under the current key; undefined if they are under it already. */
export function resealTokens(cipher: Cipher, row: StoredTokens): SealedTokens | undefined {
  if (cipher.isCurrent(row.accessTokenSealed) && cipher.isCurrent(row.refreshTokenSealed)) return undefined;
  const { portalId } = row;
  return {
    accessTokenSealed: cipher.seal(openAccessToken(cipher, row).accessToken, {
      portalId,
      field: ACCESS_FIELD,
    }),
    refreshTokenSealed: cipher.seal(openRefreshToken(cipher, row), { portalId, field: REFRESH_FIELD }),
    accessExpiresAt: row.accessExpiresAt,
  };
}

/** The same for a refresh token alone. */
export function resealRefreshToken(
  cipher: Cipher,
  row: Pick<StoredTokens, "portalId" | "refreshTokenSealed">,
): string | undefined {
  if (cipher.isCurrent(row.refreshTokenSealed)) return undefined;
  return cipher.seal(openRefreshToken(cipher, row), { portalId: row.portalId, field: REFRESH_FIELD });
}
