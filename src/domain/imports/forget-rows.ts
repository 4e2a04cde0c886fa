import type { Pool } from "pg";
import { FORGOTTEN } from "#domain/contract/import-rows.js";
import { inTransaction } from "#platform/db/transaction.js";
import { noteContacts, type ImportKey, type RowContacts } from "./advance-import.js";
import { foreseenName } from "./results.js";

/** A row that names only an address. */
export interface UnnamedRow {
  readonly number: number;
  readonly email: string;
  /** HubSpot was asked before, and had nobody of this address. */
  readonly wasUnknown: boolean;
}

/** HubSpot did not have the address in a dry run, or when the row was handled. */
const WAS_UNKNOWN = `coalesce(
  foreseen = '${foreseenName({ result: "FAILED", reasonCode: "CONTACT_NOT_FOUND" })}' OR reason_code = 'CONTACT_NOT_FOUND', false)`;

/** Rows that name only an address and are still to be compared with HubSpot; undefined: there are none. */
export async function readUnnamedRows(
  pool: Pool,
  { portalId, importId }: ImportKey,
  limit: number,
): Promise<{ after: number; rows: UnnamedRow[] } | undefined> {
  const { rows: imports } = await pool.query<{ after: number | null }>(
    "SELECT forget_after AS after FROM imports WHERE portal_id = $1 AND id = $2",
    [portalId, importId],
  );
  const after = imports[0]?.after ?? undefined;
  if (after === undefined) return undefined;
  const { rows } = await pool.query<UnnamedRow>(
    `SELECT row_number AS number, contact_key AS email, ${WAS_UNKNOWN} AS "wasUnknown" FROM import_rows
      WHERE portal_id = $1 AND import_id = $2 AND row_number > $3 AND contact_id IS NULL AND contact_key LIKE '%@%'
      ORDER BY row_number LIMIT $4`,
    [portalId, importId, after, limit],
  );
  return { after, rows };
}

/**
 * Stores whose these rows are, and removes what the file says about strangers: HubSpot does not have them, so one of
 * them may be the contact that was erased. What happened to a row stays, and with it the counts.
 *
 * @param upTo the last row that was looked at; undefined: there are no more.
 * @returns false if another contact was erased meanwhile: all rows are looked at again then.
 */
export async function forgetStrangers(
  pool: Pool,
  key: ImportKey,
  {
    after,
    upTo,
    contacts,
    strangers,
  }: { after: number; upTo: number | undefined; contacts: RowContacts; strangers: readonly number[] },
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const moved = await client.query(
      "UPDATE imports SET forget_after = $4 WHERE portal_id = $1 AND id = $2 AND forget_after = $3",
      [key.portalId, key.importId, after, upTo ?? null],
    );
    if (moved.rowCount !== 1) return false;
    await noteContacts(client, key, contacts);
    await client.query(
      `UPDATE import_rows SET ${FORGOTTEN} WHERE portal_id = $1 AND import_id = $2 AND row_number = ANY ($3::int[]) AND contact_id IS NULL`,
      [key.portalId, key.importId, strangers],
    );
    return true;
  });
}
