import type { Pool } from "pg";
import { CLOSE_KEY_FIELD, type KeyCipher } from "./create-close-import.js";

/**
 * Seals the keys to Close again that are not under the first encryption key. One that was erased meanwhile stays so.
 *
 * @returns how many rows were changed.
 * @throws as KeyCipher.open, for the first that does not open.
 */
export async function resealImportKeys(
  pool: Pool,
  cipher: KeyCipher & { isCurrent(sealed: string): boolean },
): Promise<number> {
  const { rows } = await pool.query<{ portal_id: string; id: string; sealed: string }>(
    "SELECT portal_id, id, source_key AS sealed FROM imports WHERE source_key IS NOT NULL ORDER BY portal_id, id",
  );
  let changed = 0;
  for (const { portal_id: portal, id, sealed } of rows) {
    if (cipher.isCurrent(sealed)) continue;
    const context = { portalId: BigInt(portal), field: CLOSE_KEY_FIELD };
    const { rowCount } = await pool.query(
      "UPDATE imports SET source_key = $3 WHERE portal_id = $1 AND id = $2 AND source_key = $4",
      [portal, id, cipher.seal(cipher.open(sealed, context), context), sealed],
    );
    changed += rowCount ?? 0;
  }
  return changed;
}
