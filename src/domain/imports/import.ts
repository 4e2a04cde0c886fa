import type { Pool, PoolClient } from "pg";
import type { EnrollmentDefaults } from "./enrollment-defaults.js";
import type { ImportMapping } from "./file/guess-mapping.js";

export const IMPORT_STATES = [
  "UPLOADED",
  "CHECKING",
  "CHECKED",
  "RUNNING",
  "PAUSED",
  "DONE",
  "CANCELLED",
] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** What became of the rows; of a dry run, what would. */
export interface ImportCounts {
  readonly rows: number;
  readonly handled: number;
  readonly enrolled: number;
  readonly alreadyEnrolled: number;
  readonly skipped: number;
  readonly failed: number;
  /** For a cap, a window, a date or the end of a sequence. */
  readonly waiting: number;
  /** Rows that name no enrollment, and rows whose contact was named before. */
  readonly invalid: number;
  readonly duplicate: number;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface Import {
  readonly id: bigint;
  readonly name: string;
  readonly state: ImportState;
  readonly columns: readonly string[];
  readonly mapping: ImportMapping;
  readonly defaults: EnrollmentDefaults;
  readonly rowCount: number;
  readonly checkedRows: number;
  readonly handedRows: number;
  /** By `RESULT` and by `RESULT/REASON`: see counts.ts. */
  readonly foreseen: Readonly<Record<string, number>>;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

interface ImportRecord {
  id: string;
  name: string;
  state: ImportState;
  columns: string[];
  mapping: ImportMapping;
  defaults: EnrollmentDefaults;
  row_count: number;
  checked_rows: number;
  handed_rows: number;
  foreseen: Record<string, number>;
  created_at: Date;
  ended_at: Date | null;
}

const SELECT = "SELECT * FROM imports WHERE portal_id = $1 AND state <> 'UPLOADING'";

const toImport = (row: ImportRecord): Import => ({
  id: BigInt(row.id),
  name: row.name,
  state: row.state,
  columns: row.columns,
  mapping: row.mapping,
  defaults: row.defaults,
  rowCount: row.row_count,
  checkedRows: row.checked_rows,
  handedRows: row.handed_rows,
  foreseen: row.foreseen,
  createdAt: row.created_at,
  endedAt: row.ended_at,
});

/** @param lock holds the import's row until the transaction ends: one change at a time. */
export async function findImport(
  client: Pick<Pool | PoolClient, "query">,
  { portalId, id }: { portalId: bigint; id: bigint },
  lock = false,
): Promise<Import | undefined> {
  const text = `${SELECT} AND id = $2 ${lock ? "FOR UPDATE" : ""}`;
  const { rows } = await (client as Pool).query<ImportRecord>(text, [portalId, id]);
  return rows[0] && toImport(rows[0]);
}

/** The newest first. */
export async function listImports(pool: Pool, portalId: bigint, limit: number): Promise<Import[]> {
  const { rows } = await pool.query<ImportRecord>(`${SELECT} ORDER BY id DESC LIMIT $2`, [portalId, limit]);
  return rows.map(toImport);
}
