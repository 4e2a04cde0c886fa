import { CLOSE_PLACE, type CloseChoices } from "./close-choices.js";
import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** A row that is still to be tried or handed over. */
export interface PendingRow {
  readonly number: number;
  readonly cells: readonly string[];
  readonly contactKey: string | null;
  /** An earlier row names the same contact. */
  readonly isDuplicate: boolean;
  /** Set if the row was settled before it was tried. */
  readonly result: string | null;
  readonly reasonCode: string | null;
}

/** SQL: what an import takes of an earlier row `e` of Close: only such a one makes a later row a duplicate. */
const IS_CHOSEN = `($5::jsonb IS NULL OR (
  $5 -> 'statuses' ? (e.cells ->> ${CLOSE_PLACE.status}) AND $5 -> 'sequences' ? (e.cells ->> ${CLOSE_PLACE.sequenceId})))`;

/**
 * The next rows behind `after`, in order.
 *
 * @param choices of an import from Close: rows that were not chosen are nobody's duplicate.
 */
export async function readPendingRows(
  pool: Pool,
  { portalId, importId }: { portalId: PortalId; importId: bigint },
  { after, limit, choices }: { after: number; limit: number; choices?: CloseChoices | undefined },
): Promise<PendingRow[]> {
  const { rows } = await pool.query<PendingRow>({
    name: "read-pending-import-rows",
    text: `
      SELECT r.row_number AS number, r.cells, r.contact_key AS "contactKey", r.result, r.reason_code AS "reasonCode",
             EXISTS (SELECT FROM import_rows e WHERE e.portal_id = $1 AND e.contact_key = r.contact_key
                        AND e.import_id = $2 AND e.row_number < r.row_number AND ${IS_CHOSEN}) AS "isDuplicate"
        FROM import_rows r WHERE r.portal_id = $1 AND r.import_id = $2 AND r.row_number > $3
       ORDER BY r.row_number LIMIT $4`,
    values: [portalId, importId, after, limit, choices === undefined ? null : JSON.stringify(choices)],
  });
  return rows;
}

/** The first rows as they are in the file. */
export async function readFirstRows(
  pool: Pool,
  { portalId, importId }: { portalId: PortalId; importId: bigint },
  limit: number,
): Promise<(readonly string[])[]> {
  const { rows } = await pool.query<{ cells: string[] }>(
    "SELECT cells FROM import_rows WHERE portal_id = $1 AND import_id = $2 ORDER BY row_number LIMIT $3",
    [portalId, importId, limit],
  );
  return rows.map(({ cells }) => cells);
}
