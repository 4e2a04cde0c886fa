import { LRUCache } from "lru-cache";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { atMost } from "#platform/memory/at-most.js";
import type { EncryptionKey } from "../../config.js";
import type { Database } from "#platform/db/client.js";
import type { Logger } from "#platform/observability/logger.js";
import { checkSeals } from "./check-seals.js";
import { createCipher } from "./cipher.js";
import { AppError } from "../../errors.js";
import type { Grant } from "#platform/hubspot/oauth/oauth-api.js";
import type { GrantMark, GrantTerms, RefreshGrant, SavedGrant } from "./grant.js";
import { createTokenSource, type TokenNeed } from "./refresh.js";
import { resealAll } from "./reseal.js";
import { resealRevocations, revokeGivenUpGrants } from "./revocations.js";
import type { MayTakeOver, OnConnect } from "./connect-portal.js";
import type { Disconnection, DisconnectOnly, OnDisconnect } from "./disconnect-portal.js";
import { createTokenStore } from "./store.js";
import { sealTokens, type LiveToken } from "./token-seals.js";

/**
 * Keeps the portals' grants: sealed at rest, and refreshed before they expire, exactly once among all callers and
 * processes.
 */
export interface Vault {
  /**
   * Install, reinstall or sign-in: uses the grant if it may (judge-grant.ts), which connects the portal and requests a
   * new copy of its directory; settings are kept. A grant that is not used, or that is replaced, is revoked at HubSpot
   * later. Before the portal's own grant is preferred to the new one, HubSpot is asked whether it is still good; this
   * may take as long as a refresh.
   */
  saveGrant(grant: Grant, terms?: GrantTerms): Promise<SavedGrant>;
  /**
   * A token with life left in it; refreshes when less than five minutes are.
   *
   * @throws NotConnected; an error with code GRANT_REVOKED (the portal is disconnected by then), APP_MISCONFIGURED or
   *   HUBSPOT_UNAVAILABLE if no token can be had. An old token that is still valid is preferred to failing.
   */
  accessTokenFor(portalId: PortalId): Promise<string>;
  /**
   * After HubSpot answered 401 to `refusedToken`: a different token, by at most one refresh, and without one if another
   * caller has replaced it already. Throws like `accessTokenFor`.
   */
  renewAfterRefusal(portalId: PortalId, refusedToken: string): Promise<string>;
  /** The portal's current grant, to name it when it is to be erased; undefined if it has none. */
  currentGrant(portalId: PortalId): Promise<GrantMark | undefined>;
  /**
   * Erases the tokens of the actor's portal and marks it disconnected, with an entry in the audit.
   *
   * @returns false if `only` names a grant that is no longer the portal's: nothing was erased then.
   */
  disconnect(disconnection: Disconnection, only?: Omit<DisconnectOnly, "version">): Promise<boolean>;
  /**
   * Revokes at HubSpot the grants that are no longer used and are due; each is tried again until HubSpot confirms it.
   */
  revokeGivenUp(): Promise<void>;
  /** Checks at start that what is stored opens; see `checkSeals`. */
  checkSeals(): Promise<void>;
  /** Re-encrypts what is not sealed with the first key; see `resealAll`. */
  reseal(): Promise<number>;
}

export interface VaultOptions {
  database: Pick<Database, "pool">;
  /** The first encrypts, all decrypt. */
  keys: readonly [EncryptionKey, ...EncryptionKey[]];
  refreshGrant: RefreshGrant;
  /** Throws as `refreshGrant`; GRANT_REVOKED if HubSpot does not know the grant. */
  revokeGrant: (refreshToken: string) => Promise<void>;
  now: () => Date;
  logger: Logger;
  /** Called with the code of each fault of our own that kept a portal from its token. */
  onOwnFault?: (code: string) => void;
  /** Called inside the transaction that connects a portal. */
  onConnect?: OnConnect;
  /** Called inside the transaction that disconnects a portal. */
  onDisconnect?: OnDisconnect;
  mayTakeOver: MayTakeOver;
}

/** Access tokens live 1800 s (docs/hubspot.md §2.3); one that is handed out has at least this much left. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** What a token must have left to be used when HubSpot cannot give a new one. */
const LAST_USE_MS = 15_000;
/**
 * How long a decrypted token is used without reading the database: a reinstall or disconnect elsewhere takes effect by
 * then.
 */
const MAX_CACHE_AGE_MS = 30_000;
/** Pause after a failed refresh while the old token is still valid, so that an outage is not met by a storm. */
const RETRY_REFRESH_MS = 15_000;
const MAX_CACHED_PORTALS = 5_000;

interface CachedToken {
  accessToken: string;
  reuseUntilMs: number;
}

export function createVault(options: VaultOptions): Vault {
  const { now, logger, onConnect, onDisconnect, mayTakeOver } = options;
  const cipher = createCipher(options.keys);
  const store = createTokenStore({
    pool: options.database.pool,
    onConnect,
    onDisconnect,
    mayTakeOver,
  });
  const currentToken = createTokenSource({ ...options, cipher, store });
  const cache = new LRUCache<PortalId, CachedToken>(atMost(MAX_CACHED_PORTALS));
  const flights = new Map<string, Promise<LiveToken>>();

  const lifeOf = (token: LiveToken) => token.expiresAtMs - now().getTime();
  const unlessExpiring: TokenNeed = {
    isStale: (token) => lifeOf(token) < RENEW_BEFORE_MS,
    isUsable: (token) => lifeOf(token) > LAST_USE_MS,
  };

  /** One lookup per portal and need at a time; its result is cached unless the grant was changed here meanwhile. */
  function share(portalId: PortalId, key: string, need: TokenNeed): Promise<LiveToken> {
    const running = flights.get(key);
    if (running !== undefined) return running;
    const flight: Promise<LiveToken> = currentToken(portalId, need)
      .then((token) => {
        if (flights.get(key) === flight) cache.set(portalId, toCached(token, now().getTime()));
        return token;
      })
      .finally(() => {
        if (flights.get(key) === flight) flights.delete(key);
      });
    flights.set(key, flight);
    return flight;
  }

  function forget(portalId: PortalId): void {
    cache.delete(portalId);
    for (const key of flights.keys()) if (key.startsWith(`${portalId}|`)) flights.delete(key);
  }

  /** Whether HubSpot refuses the portal's own grant; the portal is disconnected by then. No answer is not a refusal. */
  async function isRefused(portalId: PortalId): Promise<boolean> {
    try {
      await currentToken(portalId, {
        isStale: () => true,
        isUsable: (token) => unlessExpiring.isUsable(token),
      });
      return false;
    } catch (error) {
      return error instanceof AppError && ["GRANT_REVOKED", "NOT_CONNECTED"].includes(error.code);
    }
  }

  return {
    async saveGrant(grant, terms = { occasion: "install", signer: "confirmed" }) {
      const { portalId } = grant;
      const tokens = sealTokens(cipher, portalId, { grant, grantedAtMs: now().getTime() });
      let saved = await store.save(grant, tokens, terms);
      if (saved.kind === "kept" && (await isRefused(portalId))) {
        const { kind } = await store.save(grant, tokens, terms);
        saved = { ...saved, kind, wasConnected: false };
      }
      forget(portalId);
      return saved;
    },
    async accessTokenFor(portalId) {
      const cached = cache.get(portalId);
      if (cached !== undefined && now().getTime() < cached.reuseUntilMs) return cached.accessToken;
      return (await share(portalId, `${portalId}|`, unlessExpiring)).accessToken;
    },
    async renewAfterRefusal(portalId, refusedToken) {
      const need: TokenNeed = {
        isStale: (token) => token.accessToken === refusedToken,
        isUsable: () => false,
      };
      cache.delete(portalId);
      return (await share(portalId, `${portalId}|${refusedToken}`, need)).accessToken;
    },
    currentGrant: (portalId) => store.currentGrant(portalId),
    async disconnect(disconnection, only) {
      const isErased = await store.disconnect(disconnection, only);
      const { reason, actor } = disconnection;
      const { portalId } = actor;
      forget(portalId);
      if (isErased) logger.info({ portalId, reason }, "portal disconnected");
      return isErased;
    },
    checkSeals: () => checkSeals({ store, pool: options.database.pool, cipher }),
    revokeGivenUp: () => revokeGivenUpGrants({ ...options, pool: options.database.pool, cipher }),
    async reseal() {
      const grants = await resealAll({ store, cipher, logger });
      return grants + (await resealRevocations({ pool: options.database.pool, cipher }));
    },
  };
}

function toCached({ accessToken, expiresAtMs }: LiveToken, nowMs: number): CachedToken {
  const freshUntilMs = expiresAtMs - RENEW_BEFORE_MS;
  const isFresh = freshUntilMs > nowMs;
  const reuseUntilMs = isFresh
    ? Math.min(freshUntilMs, nowMs + MAX_CACHE_AGE_MS)
    : Math.min(expiresAtMs - LAST_USE_MS, nowMs + RETRY_REFRESH_MS);
  return { accessToken, reuseUntilMs };
}
