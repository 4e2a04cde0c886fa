import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../errors.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { Cipher } from "./cipher.js";
import { NotConnected, RefreshPutOff, RefreshUnderWay } from "./errors.js";
import { codeOf, PortalFaults, isOwnFault } from "./portal-faults.js";
import type { RefreshedGrant } from "#platform/hubspot/oauth/oauth-api.js";
import type { RefreshGrant, StoredTokens } from "./grant.js";
import type { TokenStore } from "./store.js";
import { openAccessToken, openRefreshToken, sealTokens, type LiveToken } from "./token-seals.js";

/** Longer than a refresh can take (two secrets tried, 10 s each, and the write): a live refresher is never overtaken. */
const LEASE_MS = 30_000;
/** How long a caller waits for another process while its current token is still good. */
const PATIENCE_MS = 2_000;
/** The longest wait of a caller: one whole lease of a process that died, and a refresh after it. */
const WAIT_MS = 45_000;
const POLL_MS = 50;
/** Pause after a failed refresh if HubSpot named none, so that an outage is not met by a storm of refreshes. */
const PUT_OFF_MS = 3_000;
/** The same for our own wrong setup; once it is fixed, an account waits this long at most. */
const PUT_OFF_MISCONFIGURED_MS = 15_000;
/** Pauses between tries to store tokens already received: HubSpot may have retired the old ones, so they must not be lost. */
const STORE_RETRY_MS = [100, 400, 1_600, 3_200];

/** What a caller requires of the stored token. */
export interface TokenNeed {
  /** True if the stored token must be replaced. */
  isStale(token: LiveToken): boolean;
  /** True if a stale token may still be used when no new one can be had at once. */
  isUsable(token: LiveToken): boolean;
}

export interface RefreshOptions {
  store: TokenStore;
  cipher: Cipher;
  refreshGrant: RefreshGrant;
  now: () => Date;
  logger: Logger;
  /**
   * Called with the code of each fault of our own that kept a portal from its token: a missing key, refused
   * credentials.
   */
  onOwnFault?: ((code: string) => void) | undefined;
}

/** Which faults were logged, separately for the seals and the refresh: one may be fine while the other is not. */
interface News {
  readonly seals: PortalFaults;
  readonly refreshes: PortalFaults;
}

/**
 * Creates the function that reads a portal's token and, if it is stale, refreshes it exactly once among all processes:
 * whoever takes the row's lease asks HubSpot, everyone else re-reads until the row has changed or the lease has
 * expired. New tokens are stored, by compare-and-set on the row they came from, before anyone uses them.
 */
export function createTokenSource(
  options: RefreshOptions,
): (portalId: PortalId, need: TokenNeed) => Promise<LiveToken> {
  const { store } = options;
  const news: News = { seals: new PortalFaults(), refreshes: new PortalFaults() };
  return async function currentToken(portalId, need) {
    const startedMs = performance.now();
    for (;;) {
      const row = await findRow(store, portalId);
      const token = open(options, row, news);
      if (!need.isStale(token)) return token;
      if (row.refreshPutOffMs > 0) return whilePutOff(row, token, need);
      if (!row.isLeased && (await store.lease(row, LEASE_MS)))
        return refreshAsHolder(options, { row, need, news });
      const waitedMs = performance.now() - startedMs;
      if (waitedMs > PATIENCE_MS && need.isUsable(token)) return token;
      if (waitedMs > WAIT_MS)
        throw new RefreshUnderWay(`Portal ${portalId}: another process has been refreshing too long`);
      await sleep(POLL_MS * (1 + Math.random()));
    }
  };
}

async function findRow(store: TokenStore, portalId: PortalId): Promise<StoredTokens> {
  const row = await store.find(portalId);
  if (row === undefined) throw new NotConnected(`Portal ${portalId} has no grant`);
  return row;
}

/** A grant that does not open is logged once: nothing else would show it, since HubSpot is not even asked. */
function open({ cipher, logger, onOwnFault }: RefreshOptions, row: StoredTokens, { seals }: News): LiveToken {
  const { portalId } = row;
  try {
    const token = openAccessToken(cipher, row);
    seals.clear(portalId);
    return token;
  } catch (error) {
    onOwnFault?.(codeOf(error));
    if (seals.isNew(portalId, error))
      logger.error(
        { portalId, err: error },
        "a stored grant does not open: this account cannot work; check ENCRYPTION_KEYS",
      );
    throw error;
  }
}

function whilePutOff(
  { portalId, refreshPutOffMs }: StoredTokens,
  token: LiveToken,
  need: TokenNeed,
): LiveToken {
  if (need.isUsable(token)) return token;
  throw new RefreshPutOff(`Portal ${portalId}: HubSpot's token endpoint failed and is not asked again yet`, {
    retryAfterMs: refreshPutOffMs,
  });
}

/** A refresh under the lease of `row`. */
interface Refresh {
  readonly row: StoredTokens;
  readonly need: TokenNeed;
  readonly news: News;
}

async function refreshAsHolder(options: RefreshOptions, refresh: Refresh): Promise<LiveToken> {
  const { row } = refresh;
  const { cipher, logger, refreshGrant, now } = options;
  const grantedAtMs = now().getTime();
  let grant: RefreshedGrant;
  try {
    grant = await refreshGrant(openRefreshToken(cipher, row));
  } catch (error) {
    return recover(options, { ...refresh, error });
  }
  refresh.news.refreshes.clear(row.portalId);
  const tokens = sealTokens(cipher, row.portalId, { grant, grantedAtMs });
  if (await storeSurely(() => options.store.replace(row, tokens))) {
    logger.info(
      { portalId: row.portalId, expiresAt: tokens.accessExpiresAt },
      "refreshed the portal's grant",
    );
    return { accessToken: grant.accessToken, expiresAtMs: tokens.accessExpiresAt.getTime() };
  }
  // A reinstall or a disconnect came in between: its result is newer than these tokens.
  return openAccessToken(cipher, await findRow(options.store, row.portalId));
}

async function recover(
  options: RefreshOptions,
  { row, need, news, error }: Refresh & { error: unknown },
): Promise<LiveToken> {
  const { store, cipher } = options;
  const { portalId } = row;
  if (error instanceof AppError && error.code === "GRANT_REVOKED") {
    const reason = "HubSpot no longer accepts the app's authorization: it was uninstalled or revoked.";
    const actor = { kind: "system", portalId, part: "hubspot" } as const;
    if (!(await store.disconnect({ actor, reason }, { version: row })))
      return openAccessToken(cipher, await findRow(store, portalId));
    options.logger.warn({ portalId, err: error }, "the portal's grant is revoked; portal disconnected");
    throw error;
  }
  await store.releaseLease(row, putOffMs(error));
  const token = openAccessToken(cipher, row);
  tellOfRefresh(options, { portalId, error, usesOldToken: need.isUsable(token), news });
  if (need.isUsable(token)) return token;
  throw error;
}

/** The pause HubSpot asked for (limited where it is read), otherwise a short one. */
function putOffMs(error: unknown): number {
  const { retryAfterMs } = error as { retryAfterMs?: unknown };
  if (typeof retryAfterMs === "number") return retryAfterMs;
  return isOwnFault(error) ? PUT_OFF_MISCONFIGURED_MS : PUT_OFF_MS;
}

function tellOfRefresh(
  { logger, onOwnFault }: RefreshOptions,
  {
    portalId,
    error,
    usesOldToken,
    news,
  }: { portalId: PortalId; error: unknown; usesOldToken: boolean; news: News },
): void {
  const isOurs = isOwnFault(error);
  if (isOurs) onOwnFault?.(codeOf(error));
  if (!news.refreshes.isNew(portalId, error)) return;
  const fields = { portalId, err: error, usesOldToken };
  if (!isOurs) return logger.warn(fields, "could not refresh the portal's grant; trying again");
  logger.error(
    fields,
    "HubSpot does not accept this app: check HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET and PUBLIC_URL",
  );
}

/**
 * Repeats a compare-and-set through a short database outage. A write whose answer was lost shows as "already moved on"
 * at the next try, and the caller then reads its own tokens back.
 */
async function storeSurely(write: () => Promise<boolean>): Promise<boolean> {
  for (const pauseMs of STORE_RETRY_MS) {
    try {
      return await write();
    } catch {
      await sleep(pauseMs);
    }
  }
  return write();
}
