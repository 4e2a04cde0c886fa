import type { Response } from "express";
import type { Pool } from "pg";
import type { Import } from "#domain/imports/import.js";
import { readResults, type ResultRow } from "#domain/imports/results.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { sendCsv } from "./send-csv.js";

const RESULT_COLUMNS = ["result", "reason_code", "reason", "enrollment_id"];

type Cells = Record<string, string>;

/**
 * Streams the file of an import again, with what became of each row.
 *
 * @param record notes that the rows are given out.
 */
export async function sendImportResults(
  response: Response,
  pool: Pool,
  {
    portalId,
    one,
    record = (rows) => Promise.resolve(rows),
  }: {
    portalId: PortalId;
    one: Import;
    record?: (rows: AsyncIterable<Cells>) => Promise<AsyncIterable<Cells>>;
  },
): Promise<void> {
  // Keys of their own: a column of the file may have the name of a result.
  const headers = [...one.columns, ...RESULT_COLUMNS];
  const columns = headers.map((header, index) => ({ key: `c${index}`, header }));
  const rows = await record(records(readResults(pool, portalId, one), one.columns.length));
  await sendCsv(response, { name: `import-${one.id}.csv`, columns, rows });
}

async function* records(rows: AsyncIterable<ResultRow>, width: number): AsyncGenerator<Cells> {
  for await (const { cells, result, reasonCode, reason, executionId } of rows) {
    const own = Array.from({ length: width }, (_, index) => cells[index] ?? "");
    const all = [...own, result ?? "", reasonCode ?? "", reason ?? "", executionId ?? ""];
    yield Object.fromEntries(all.map((value, index) => [`c${index}`, value]));
  }
}
