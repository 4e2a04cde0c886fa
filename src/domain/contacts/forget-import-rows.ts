import type { PoolClient } from "pg";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ErasedWords } from "./forget-searches.js";

/** What became of the row stays, and with it the counts; a row that was not handled any more is not. */
const FORGET = `
  UPDATE import_rows
     SET cells = '[]', contact_key = NULL, contact_id = '${ERASED_CONTACT}', reason = NULL,
         result = coalesce(result, CASE WHEN execution_id IS NULL THEN 'FAILED' END),
         reason_code = coalesce(reason_code, CASE WHEN execution_id IS NULL AND result IS NULL THEN 'CONTACT_NOT_FOUND' END)
   WHERE portal_id = $1 AND (contact_key = ANY ($2::text[]) OR contact_id = ANY ($2::text[]))`;

/** Removes what the files of imports say of erased contacts. */
export async function forgetImportRows(client: PoolClient, erased: readonly ErasedWords[]): Promise<void> {
  for (const { portalId, words } of erased)
    await client.query(FORGET, [portalId, words.map((word) => word.toLowerCase())]);
}
