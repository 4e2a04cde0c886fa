import { setTimeout as sleep } from "node:timers/promises";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { Cipher } from "./cipher.js";
import type { TokenStore } from "./store.js";
import { resealTokens } from "./token-seals.js";
import type { StoredTokens } from "./grant.js";

const PAGE = 200;
/** Rows under refresh are skipped and met again; a lease expires well within all passes together. */
const PASSES = 60;
const PAUSE_MS = 1_000;

interface ResealOptions {
  readonly store: TokenStore;
  readonly cipher: Cipher;
  readonly logger: Logger;
  /** Called after each page with how many rows this pass has re-sealed. */
  readonly tell?: (resealed: number) => void;
}

/**
 * Re-encrypts every row that is not sealed with the first key, while the app runs. Once it returns, older keys may be
 * removed from the configuration.
 *
 * @returns how many rows were re-sealed.
 * @throws SealKeyUnknown, SealBroken for the first row that does not open, after all others are done.
 */
export async function resealAll(options: ResealOptions): Promise<number> {
  let resealed = 0;
  for (let pass = 1; ; pass += 1) {
    const result = await resealPass(options);
    resealed += result.resealed;
    if (result.passedOver === 0 || pass === PASSES) {
      if (result.firstFailure !== undefined) throw result.firstFailure;
      return resealed;
    }
    await sleep(PAUSE_MS);
  }
}

interface PassResult {
  resealed: number;
  passedOver: number;
  firstFailure: Error | undefined;
}

async function resealPass({ store, cipher, logger, tell }: ResealOptions): Promise<PassResult> {
  const result: PassResult = { resealed: 0, passedOver: 0, firstFailure: undefined };
  for (
    let page = await store.listAfter(-1n, PAGE);
    page.length > 0;
    page = await store.listAfter(lastId(page), PAGE)
  ) {
    for (const row of page) {
      try {
        // Row by row: a process that ends in between leaves nothing half done, and the next one continues with the
        // rest.
        const tokens = resealTokens(cipher, row);
        if (tokens === undefined) continue;
        if (await store.reseal(row, tokens)) result.resealed += 1;
        else result.passedOver += 1;
      } catch (error) {
        logger.error({ portalId: row.portalId, err: error }, "a stored grant does not open");
        result.firstFailure ??= error instanceof Error ? error : new Error("unknown", { cause: error });
      }
    }
    logger.info(
      { resealed: result.resealed, upToPortal: lastId(page).toString() },
      "re-sealing stored grants",
    );
    tell?.(result.resealed);
  }
  return result;
}

function lastId(page: StoredTokens[]): PortalId {
  return page.at(-1)?.portalId ?? -1n;
}
