import type { Logger } from "#platform/observability/logger.js";
import type { Cipher } from "./cipher.js";
import { NoGrantOpens } from "./errors.js";
import type { TokenStore } from "./store.js";
import { openRefreshToken } from "./token-seals.js";
import type { StoredTokens } from "./grant.js";

/** How many grants of each key to try: a single one may be damaged although the key is right. */
const SAMPLES = 3;

/**
 * Tries at start whether stored grants open, a few for each key. A key that is missing from the configuration, or has
 * other bytes there, is logged at error level with its id: its accounts cannot work.
 *
 * @throws NoGrantOpens if there are grants and none of any key opens: this is another environment's configuration, and
 *   in a rolling update the old processes go on.
 */
export async function checkSeals(options: {
  store: Pick<TokenStore, "listByKey">;
  cipher: Cipher;
  logger: Logger;
}): Promise<void> {
  const { store, cipher, logger } = options;
  const keys = await store.listByKey(SAMPLES);
  const broken = keys.filter(({ samples }) => !samples.some((row) => opens(cipher, row)));
  for (const { keyId, grants } of broken) {
    const problem = cipher.knows(keyId) ? "has other bytes in ENCRYPTION_KEYS" : "is not in ENCRYPTION_KEYS";
    logger.error(
      { keyId, accounts: grants },
      `accounts cannot work: the key that their grants are sealed with ${problem}`,
    );
  }
  if (broken.length === 0 || broken.length < keys.length) return;
  throw new NoGrantOpens(
    `No stored grant opens with ENCRYPTION_KEYS: they are sealed with ${broken.map(({ keyId }) => keyId).join(", ")}. ` +
      "Set those keys; docs/runbook.md says what to do if they are lost.",
  );
}

function opens(cipher: Cipher, row: StoredTokens): boolean {
  try {
    openRefreshToken(cipher, row);
    return true;
  } catch {
    return false;
  }
}
