import type { Pool } from "pg";
import type { Cipher } from "./cipher.js";
import { KeysDoNotOpen } from "./errors.js";
import type { TokenStore } from "./store.js";
import { openRefreshToken } from "./token-seals.js";
import type { StoredTokens } from "./grant.js";

/** How many grants of each key to try: a single one may be damaged although the key is right. */
const SAMPLES = 3;

/** Every column that holds sealed texts; a seal names its key between its first two dots. */
const SEALED_COLUMNS: readonly (readonly [table: string, column: string])[] = [
  ["portal_tokens", "access_token_sealed"],
  ["portal_tokens", "refresh_token_sealed"],
  ["grant_revocations", "refresh_token_sealed"],
  ["portal_settings", "alert_webhook_sealed"],
  ["portal_settings", "alert_secret_sealed"],
  ["webhook_subscriptions", "url_sealed"],
  ["webhook_subscriptions", "secret_sealed"],
  ["webhook_subscriptions", "old_secret_sealed"],
  ["imports", "source_key"],
];

const SEALS_BY_KEY = `SELECT key_id AS "keyId", sum(seals)::int AS seals, array_agg(DISTINCT table_name) AS tables FROM (${SEALED_COLUMNS.map(
  ([table, column]) =>
    `SELECT '${table}' AS table_name, split_part(${column}, '.', 2) AS key_id, count(*) AS seals FROM ${table} WHERE ${column} IS NOT NULL GROUP BY 2`,
).join(" UNION ALL ")}) AS counted GROUP BY key_id ORDER BY key_id`;

/** What is sealed with one key, over all tables. */
export interface SealsOfKey {
  readonly keyId: string;
  readonly seals: number;
  readonly tables: readonly string[];
}

/** With which keys stored texts are sealed. */
export async function countSeals(pool: Pool): Promise<SealsOfKey[]> {
  return (await pool.query<SealsOfKey>(SEALS_BY_KEY)).rows;
}

/**
 * Checks at start that whatever is stored sealed can be opened: the key of each seal is configured, and of each key a few
 * grants open. A process without one of the keys would take calls that it cannot work on.
 *
 * @throws KeysDoNotOpen with the id of each key that is missing or has other bytes; in a rolling update the old processes
 *   continue.
 */
export async function checkSeals(options: {
  store: Pick<TokenStore, "listByKey">;
  pool: Pool;
  cipher: Cipher;
}): Promise<void> {
  const { store, pool, cipher } = options;
  const missing = (await countSeals(pool)).filter(({ keyId }) => !cipher.knows(keyId));
  const wrong = (await store.listByKey(SAMPLES)).filter(
    ({ keyId, samples }) => cipher.knows(keyId) && !samples.some((row) => opens(cipher, row)),
  );
  const problems = [
    ...missing.map(({ keyId, seals, tables }) => `${keyId} is missing (${seals} in ${tables.join(", ")})`),
    ...wrong.map(({ keyId, grants }) => `${keyId} has other bytes than the one that sealed ${grants} grants`),
  ];
  if (problems.length === 0) return;
  throw new KeysDoNotOpen(
    `ENCRYPTION_KEYS does not open what is stored: ${problems.join("; ")}. Put those keys back; docs/runbook.md says what to do if they are lost.`,
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
