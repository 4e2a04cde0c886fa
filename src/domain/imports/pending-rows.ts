import type { Pool } from "pg";

/** A row that is still to be tried or handed over. */
export interface PendingRow {
  readonly number: number;
  readonly cells: readonly string[];
  readonly contactKey: string | null;
  /** An earlier row names the same contact. */
  readonly isDuplicate: boolean;
  /** Set if the row was settled before it came to that. */
  readonly result: string | null;
  readonly reasonCode: string | null;
}

/** The next rows behind `after`, in order. */
export async function readPendingRows(
  pool: Pool,
  { portalId, importId }: { portalId: bigint; importId: bigint },
  { after, limit }: { after: number; limit: number },
): Promise<PendingRow[]> {
  const { rows } = await pool.query<PendingRow>({
    name: "read-pending-import-rows",
    text: `
      SELECT r.row_number AS number, r.cells, r.contact_key AS "contactKey", r.result, r.reason_code AS "reasonCode",
             EXISTS (SELECT FROM import_rows e WHERE e.portal_id = $1 AND e.contact_key = r.contact_key
                        AND e.import_id = $2 AND e.row_number < r.row_number) AS "isDuplicate"
        FROM import_rows r WHERE r.portal_id = $1 AND r.import_id = $2 AND r.row_number > $3
       ORDER BY r.row_number LIMIT $4`,
    values: [portalId, importId, after, limit],
  });
  return rows;
}
