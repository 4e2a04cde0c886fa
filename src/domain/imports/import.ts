import type { Pool, PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { CloseChoices, CloseFacts } from "./close-choices.js";
import type { EnrollmentDefaults } from "./enrollment-defaults.js";
import type { SourceProblem } from "./source-problems.js";
import type { ImportMapping } from "./file/guess-mapping.js";

/** READING: its source is a segment or Close, and its rows are still being read. */
export const IMPORT_STATES = [
  "READING",
  "UPLOADED",
  "CHECKING",
  "CHECKED",
  "RUNNING",
  "PAUSED",
  "DONE",
  "CANCELLED",
] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** Where the rows come from. */
export const IMPORT_SOURCES = ["FILE", "SEGMENT", "CLOSE"] as const;
export type ImportSource = (typeof IMPORT_SOURCES)[number];

/** What happened to the rows; for a dry run, what would happen. */
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
  /** Grows with every change of what was set up. */
  readonly version: number;
  readonly source: ImportSource;
  /** HubSpot's id of the segment. */
  readonly sourceId: string | null;
  /** Where the reading of the source continues; null: at the beginning. */
  readonly sourceAt: unknown;
  /** What Close's subscriptions are counted by; null: the rows are not from there. */
  readonly closeFacts: CloseFacts | null;
  readonly choices: CloseChoices;
  /** Why the source was not read to its end. */
  readonly problem: SourceProblem | null;
  readonly columns: readonly string[];
  readonly mapping: ImportMapping;
  readonly defaults: EnrollmentDefaults;
  readonly rowCount: number;
  readonly checkedRows: number;
  readonly handedRows: number;
  /** By `RESULT` and by `RESULT/REASON`: see results.ts. */
  readonly foreseen: Readonly<Record<string, number>>;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

interface ImportRecord {
  id: string;
  name: string;
  state: ImportState;
  version: number;
  source: ImportSource;
  source_id: string | null;
  source_at: unknown;
  source_facts: CloseFacts | null;
  choices: CloseChoices;
  problem: SourceProblem | null;
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
  name: shownName(row),
  state: row.state,
  version: row.version,
  source: row.source,
  sourceId: row.source_id,
  sourceAt: row.source_at,
  closeFacts: row.source_facts,
  choices: row.choices,
  problem: row.problem,
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

/** An import that nobody named is named after its source, once that is known. */
const shownName = ({ name, source, source_id }: ImportRecord): string =>
  name !== "" ? name : source === "SEGMENT" ? `Segment ${source_id ?? ""}` : "Import";

/** @param lock holds the import's row until the transaction ends: one change at a time. */
export async function findImport(
  client: Pick<Pool | PoolClient, "query">,
  { portalId, id }: { portalId: PortalId; id: bigint },
  lock = false,
): Promise<Import | undefined> {
  const text = `${SELECT} AND id = $2 ${lock ? "FOR UPDATE" : ""}`;
  const { rows } = await (client as Pool).query<ImportRecord>(text, [portalId, id]);
  return rows[0] && toImport(rows[0]);
}

/** The newest first. */
export async function listImports(pool: Pool, portalId: PortalId, limit: number): Promise<Import[]> {
  const { rows } = await pool.query<ImportRecord>(`${SELECT} ORDER BY id DESC LIMIT $2`, [portalId, limit]);
  return rows.map(toImport);
}
