import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Import, ImportCounts } from "./import.js";

/**
 * SQL: what happened to a row `r` with its execution `e`: what is stored with the row, otherwise what the execution
 * says. No result: not handled yet.
 */
export const RESULT = `CASE
  WHEN r.result IS NOT NULL THEN r.result
  WHEN e.error_code = 'CANCELLED' THEN 'CANCELLED'
  WHEN e.enrollment_status IS NOT NULL THEN e.enrollment_status
  WHEN e.state = 'WATCHING' OR (e.state = 'QUEUED' AND e.has_waited) THEN 'WAITING' END`;

/** Joins only the executions of rows whose end is not stored yet; for most rows it is. */
const ROWS = `import_rows r LEFT JOIN executions e ON e.portal_id = r.portal_id AND e.id = r.execution_id AND r.result IS NULL
  WHERE r.portal_id = $1 AND r.import_id = $2`;

const COUNT_OF: Readonly<Record<string, keyof Omit<ImportCounts, "reasons" | "rows" | "handled">>> = {
  ENROLLED: "enrolled",
  ALREADY_ENROLLED: "alreadyEnrolled",
  SKIPPED: "skipped",
  CANCELLED: "skipped",
  FAILED: "failed",
  WAITING: "waiting",
  INVALID: "invalid",
  DUPLICATE: "duplicate",
};

/** How often each result came, and with which reason. */
export interface Tally {
  readonly result: string;
  readonly reasonCode: string | null;
  readonly count: number;
}

/** The counts of an import that is there to be started are those of its dry run; from then on what really became of it. */
export async function countRows(pool: Pool, portalId: PortalId, one: Import): Promise<ImportCounts> {
  const isTried = one.state === "CHECKING" || one.state === "CHECKED";
  const tallies = isTried ? talliesOf(one.foreseen) : await readTallies(pool, portalId, one.id);
  return toCounts(one.rowCount, tallies);
}

async function readTallies(pool: Pool, portalId: PortalId, importId: bigint): Promise<Tally[]> {
  const { rows } = await pool.query<Tally>(
    `SELECT ${RESULT} AS result, coalesce(r.reason_code, e.error_code) AS "reasonCode", count(*)::int AS count FROM ${ROWS}
      GROUP BY 1, 2`,
    [portalId, importId],
  );
  return rows.filter(({ result }) => result !== null);
}

function toCounts(rows: number, tallies: readonly Tally[]): ImportCounts {
  const counts = {
    enrolled: 0,
    alreadyEnrolled: 0,
    skipped: 0,
    failed: 0,
    waiting: 0,
    invalid: 0,
    duplicate: 0,
  };
  const reasons: Record<string, number> = {};
  let handled = 0;
  for (const { result, reasonCode, count } of tallies) {
    const name = COUNT_OF[result];
    if (name === undefined) continue;
    counts[name] += count;
    handled += count;
    if (reasonCode !== null) reasons[reasonCode] = (reasons[reasonCode] ?? 0) + count;
  }
  return { rows, handled, ...counts, reasons };
}

/** What a dry run predicts for a row, as it is stored with the row. */
export const foreseenName = ({ result, reasonCode }: Pick<Tally, "result" | "reasonCode">): string =>
  `${result}/${reasonCode ?? ""}`;

/** The tallies of a dry run as they are stored: `RESULT/REASON`, or `RESULT/` without one. */
export function talliesOf(foreseen: Readonly<Record<string, number>>): Tally[] {
  return Object.entries(foreseen).map(([key, count]) => {
    const [result = "", reason = ""] = key.split("/");
    return { result, reasonCode: reason === "" ? null : reason, count };
  });
}

/** A row of the result file. */
export interface ResultRow {
  readonly cells: readonly string[];
  readonly result: string | null;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly executionId: string | null;
}

/** Rows in memory at a time. */
const CHUNK = 500;

/** For an import that was tried and not started: what would happen to its rows. */
const FORESEEN = `SELECT r.row_number AS number, r.cells, nullif(split_part(r.foreseen, '/', 1), '') AS result,
    nullif(split_part(r.foreseen, '/', 2), '') AS "reasonCode", r.reason, NULL AS "executionId"
  FROM import_rows r WHERE r.portal_id = $1 AND r.import_id = $2`;

const REAL = `SELECT r.row_number AS number, r.cells, ${RESULT} AS result, coalesce(r.reason_code, e.error_code) AS "reasonCode",
    coalesce(r.reason, e.error_message, CASE WHEN e.decided_at IS NULL THEN e.last_problem END) AS reason,
    r.execution_id AS "executionId"
  FROM ${ROWS}`;

/** The file's rows in order with what happened to each, read by key: no transaction stays open meanwhile. */
export async function* readResults(
  pool: Pool,
  portalId: PortalId,
  { id, state }: Pick<Import, "id" | "state">,
): AsyncGenerator<ResultRow> {
  const rowsOf = state === "CHECKING" || state === "CHECKED" ? FORESEEN : REAL;
  for (let after = 0, isEnd = false; !isEnd;) {
    const { rows } = await pool.query<ResultRow & { number: number }>(
      `${rowsOf} AND r.row_number > $3 ORDER BY r.row_number LIMIT ${CHUNK}`,
      [portalId, id, after],
    );
    yield* rows;
    after = rows.at(-1)?.number ?? after;
    isEnd = rows.length < CHUNK;
  }
}
