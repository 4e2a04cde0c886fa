import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify, type ColumnOption } from "csv-stringify";
import type { Response } from "express";
import { createBreather } from "#platform/time/breather.js";

export type CsvCell = string | number | null;

export interface CsvFile {
  /** Of the file as it is saved; of letters, digits, dots and dashes. */
  readonly name: string;
  /** By default the keys of the first row. */
  readonly columns?: readonly ColumnOption[];
  /** Asked for no faster than the client reads. */
  readonly rows:
    Iterable<Readonly<Record<string, CsvCell>>> | AsyncIterable<Readonly<Record<string, CsvCell>>>;
}

/** A client that takes nothing for so long is cut off. */
const STALL_MS = 30_000;
/** Rows made in one go: they wait in memory until the client has read them. */
const ROWS_AHEAD = 50;

/**
 * Streams a CSV file. A cell, or a part of one, that a spreadsheet would run as a formula is given as text.
 *
 * @param options.stallMs how long the client may take nothing before it is cut off.
 * @returns once all was sent, or the client is gone or was cut off.
 */
export async function sendCsv(
  response: Response,
  { name, columns, rows }: CsvFile,
  { stallMs = STALL_MS } = {},
): Promise<void> {
  response.status(200).set({
    "Content-Type": "text/csv; charset=utf-8",
    "Content-Disposition": `attachment; filename="${name}"`,
    "Cache-Control": "no-store",
  });
  // To find the first row may take longer than an answer may be waited for: that it has begun is told at once.
  response.flushHeaders();
  const csv = stringify({
    header: true,
    bom: true,
    escape_formulas: true,
    ...(columns && { columns: [...columns] }),
    cast: { string: neutralize },
  });
  const watched = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      const stall = setTimeout(() => response.destroy(), stallMs);
      try {
        yield chunk;
      } finally {
        clearTimeout(stall);
      }
    }
  };
  try {
    await pipeline(Readable.from(inSlices(rows), { highWaterMark: ROWS_AHEAD }), csv, watched, response);
  } catch (error) {
    // Gone is gone: what is left was for nobody.
    if (!response.destroyed) throw error;
  }
}

/** Rows between two looks at the clock. */
const ROWS_IN_A_SLICE = 20;

/** As long as the client takes all at once nothing else would let the event loop turn. */
async function* inSlices<Row>(rows: Iterable<Row> | AsyncIterable<Row>): AsyncGenerator<Row> {
  const breathe = createBreather();
  let count = 0;
  for await (const row of rows) {
    yield row;
    count += 1;
    if (count % ROWS_IN_A_SLICE === 0) await breathe();
  }
}

/**
 * Where a spreadsheet splits a line at something else than commas, a later part of a cell becomes a cell of its own, and
 * some overlook spaces before it. What a cell begins with is left to the writer's own rule.
 */
const FORMULA_INSIDE =
  /(^[ \u00a0]+|[;|\t\r\n\v\f\u0085\u2028\u2029][ \u00a0]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

/** The text with an apostrophe before whatever would begin a formula inside it. */
function neutralize(text: string): string {
  return text.replace(FORMULA_INSIDE, "$1'");
}
