import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../errors.js";
import type { Logger } from "../observability/logger.js";
import type { Cipher } from "./cipher.js";
import { NotConnected, RefreshUnderWay } from "./errors.js";
import type { RefreshGrant, RefreshedGrant } from "./grant.js";
import type { StoredTokens, TokenStore } from "./store.js";
import { openAccessToken, openRefreshToken, sealTokens, type LiveToken } from "./token-seals.js";

/** Longer than a refresh can take (two secrets tried, 10 s each, and the write): a live refresher is never overtaken. */
const LEASE_MS = 30_000;
/** How long a caller waits for another process while the token it has is still good. */
const PATIENCE_MS = 2_000;
/** How long a caller waits at all: one whole lease of a process that died, and a refresh after it. */
const WAIT_MS = 45_000;
const POLL_MS = 50;
/** Pauses between tries to store tokens already received: HubSpot may have retired the old ones, so they must not be lost. */
const STORE_RETRY_MS = [100, 400, 1_600, 3_200];

/** What a caller wants of the stored token. */
export interface TokenNeed {
  /** True where the stored token must be replaced. */
  isStale(token: LiveToken): boolean;
  /** True where a stale token may still be used when no new one can be had at once. */
  isUsable(token: LiveToken): boolean;
}

export interface RefreshOptions {
  store: TokenStore;
  cipher: Cipher;
  refreshGrant: RefreshGrant;
  now: () => Date;
  logger: Logger;
}

/**
 * Makes the function that reads a portal's token and, where it is stale, refreshes it exactly once among all
 * processes: whoever takes the row's lease asks HubSpot, everybody else re-reads until the row has moved on or the
 * lease has lapsed. New tokens are stored, by compare-and-set on the row they came from, before anybody uses them.
 */
export function createTokenSource(
  options: RefreshOptions,
): (portalId: bigint, need: TokenNeed) => Promise<LiveToken> {
  const { store, cipher } = options;
  return async function currentToken(portalId, need) {
    const startedMs = performance.now();
    for (;;) {
      const row = await findRow(store, portalId);
      const token = openAccessToken(cipher, row);
      if (!need.isStale(token)) return token;
      if (!row.isLeased && (await store.lease(row, LEASE_MS))) return refreshAsHolder(options, row, need);
      const waitedMs = performance.now() - startedMs;
      if (waitedMs > PATIENCE_MS && need.isUsable(token)) return token;
      if (waitedMs > WAIT_MS)
        throw new RefreshUnderWay(`Portal ${portalId}: another process has been refreshing too long`);
      await sleep(POLL_MS * (1 + Math.random()));
    }
  };
}

async function findRow(store: TokenStore, portalId: bigint): Promise<StoredTokens> {
  const row = await store.find(portalId);
  if (row === undefined) throw new NotConnected(`Portal ${portalId} has no grant`);
  return row;
}

/** Runs while holding the lease of `row`. */
async function refreshAsHolder(
  options: RefreshOptions,
  row: StoredTokens,
  need: TokenNeed,
): Promise<LiveToken> {
  const { cipher, logger, refreshGrant, now } = options;
  const grantedAtMs = now().getTime();
  let grant: RefreshedGrant;
  try {
    grant = await refreshGrant(openRefreshToken(cipher, row));
  } catch (error) {
    return recover(options, { row, need, error });
  }
  const tokens = sealTokens(cipher, row.portalId, { grant, grantedAtMs });
  if (await storeSurely(() => options.store.replace(row, tokens))) {
    logger.info(
      { portalId: row.portalId, expiresAt: tokens.accessExpiresAt },
      "refreshed the portal's grant",
    );
    return { accessToken: grant.accessToken, expiresAtMs: tokens.accessExpiresAt.getTime() };
  }
  // A reinstall or a disconnect came in between: what it left is newer than what we were given.
  return openAccessToken(cipher, await findRow(options.store, row.portalId));
}

async function recover(
  { store, cipher, logger }: RefreshOptions,
  { row, need, error }: { row: StoredTokens; need: TokenNeed; error: unknown },
): Promise<LiveToken> {
  const { portalId } = row;
  if (error instanceof AppError && error.code === "GRANT_REVOKED") {
    const reason = "HubSpot no longer accepts the app's authorization: it was uninstalled or revoked.";
    if (!(await store.disconnect(portalId, reason, { version: row })))
      return openAccessToken(cipher, await findRow(store, portalId));
    logger.warn({ portalId, err: error }, "the portal's grant is revoked; portal disconnected");
    throw error;
  }
  await store.releaseLease(row);
  const token = openAccessToken(cipher, row);
  logger.error(
    { portalId, err: error, usesOldToken: need.isUsable(token) },
    "could not refresh the portal's grant",
  );
  if (need.isUsable(token)) return token;
  throw error;
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
