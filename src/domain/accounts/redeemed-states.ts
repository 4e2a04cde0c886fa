import type { Pool } from "pg";

/**
 * Uses up the `state` of an OAuth round trip; the table's key decides between two at once. Rows of expired states are
 * deleted along the way.
 *
 * @returns whether it was not used before.
 */
// eslint-disable-next-line house/audited-verbs -- no account is known yet, and nothing of one is changed
export async function redeemState(
  pool: Pool,
  { nonce, expiresAt, now }: { nonce: string; expiresAt: Date; now: Date },
): Promise<boolean> {
  await pool.query("DELETE FROM redeemed_states WHERE expires_at < $1", [now]);
  const inserted = await pool.query(
    "INSERT INTO redeemed_states (nonce, expires_at) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING",
    [nonce, expiresAt],
  );
  return inserted.rowCount === 1;
}
