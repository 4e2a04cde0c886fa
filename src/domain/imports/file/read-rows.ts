import { Readable } from "node:stream";
import { CsvError, parse, type Parser } from "csv-parse";
import { createBreather } from "#platform/time/breather.js";
import { cutText } from "#platform/text/storable-text.js";
import { decodeText } from "./decode-text.js";
import { beginningOf, type FileBeginning } from "./delimiter.js";
import { ImportFileError } from "./file-error.js";
import { FILE_LIMITS, type FileLimits } from "./file-limits.js";

/** One row of the file, its cells trimmed, one for each column. */
export interface FileRow {
  /** 1 is the first row below the header. */
  readonly number: number;
  readonly cells: readonly string[];
  /** Why the row cannot be used, in a sentence; undefined: nothing is wrong with its form. */
  readonly problem: string | undefined;
}

/** The file as it is read: the header is known, and the rows come as they are asked for. */
export interface OpenedFile {
  /** Each name once, none empty. */
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<FileRow>;
}

/** Characters from which the separator is guessed. */
const HEAD_CHARACTERS = 32 * 1024;

/** A file may have several: rows of other systems were appended to it, or pasted. The parser would go by the first one. */
const LINE_BREAKS = ["\r\n", "\n", "\r"];

/**
 * Reads a CSV file from its bytes, in the memory of a few rows: its encoding and its separator are detected, line
 * breaks inside quotes belong to their cell, blank rows are left out.
 *
 * @throws ImportFileError, also while the rows are read.
 */
export async function openFile(
  bytes: AsyncIterable<Uint8Array>,
  limits: FileLimits = FILE_LIMITS,
): Promise<OpenedFile> {
  const text = decodeText(limited(bytes, limits.fileBytes));
  const { head, rest } = await readHead(text);
  const records = parsed(rest, { beginning: beginningOf(head), limits });
  const first = await records.next();
  if (first.done === true) throw new ImportFileError("EMPTY", "The file is empty.");
  const columns = columnNames(first.value.map(clean));
  if (columns.length > limits.columns)
    throw new ImportFileError("TOO_LARGE", `The file has more than ${limits.columns} columns.`);
  return { columns, rows: numbered(records, { columns: columns.length, limits }) };
}

async function* limited(bytes: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > most)
      throw new ImportFileError("TOO_LARGE", `The file is larger than ${most / 1024 / 1024} MiB.`);
    yield piece;
  }
}

/** The beginning of the text, and all of it. */
async function readHead(
  text: AsyncGenerator<string>,
): Promise<{ head: string; rest: AsyncIterable<string> }> {
  let head = "";
  for (let next = await text.next(); next.done !== true; next = await text.next()) {
    head += next.value;
    if (head.length >= HEAD_CHARACTERS) break;
  }
  const rest = async function* () {
    yield head;
    yield* text;
  };
  return { head, rest: rest() };
}

async function* parsed(
  text: AsyncIterable<string>,
  { beginning: { delimiter, skip }, limits }: { beginning: FileBeginning; limits: FileLimits },
): AsyncGenerator<string[]> {
  const parser = parse({
    delimiter,
    record_delimiter: LINE_BREAKS,
    max_record_size: limits.rowLength,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_empty_values: true,
  });
  const source = Readable.from(skipping(text, skip), { objectMode: false });
  // `pipe` does not pass errors on, nor the parser's end back to the source.
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    yield* parser as AsyncIterable<string[]>;
  } catch (error) {
    throw toFileError(error, { parser, limits });
  } finally {
    source.destroy();
  }
}

async function* skipping(text: AsyncIterable<string>, skip: number): AsyncGenerator<string> {
  let left = skip;
  for await (const piece of text) {
    yield piece.slice(left);
    left = Math.max(0, left - piece.length);
  }
}

function toFileError(error: unknown, { parser, limits }: { parser: Parser; limits: FileLimits }): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = parser.info.lines;
  if (error.code === "CSV_MAX_RECORD_SIZE") {
    const sentence = `The row that begins near line ${line} is longer than ${limits.rowLength / 1024} KiB. A quotation mark may be missing before it.`;
    return new ImportFileError("TOO_LARGE", sentence, { cause: error });
  }
  const sentence = `The file cannot be read as CSV near line ${line}: a quotation mark is missing, or one too many.`;
  return new ImportFileError("SYNTAX", sentence, { cause: error });
}

/** Rows between two looks at the clock. */
const ROWS_IN_A_SLICE = 50;

async function* numbered(
  records: AsyncIterable<string[]>,
  { columns, limits }: { columns: number; limits: FileLimits },
): AsyncGenerator<FileRow> {
  const breathe = createBreather();
  let number = 0;
  for await (const record of records) {
    number += 1;
    if (number > limits.rows)
      throw new ImportFileError(
        "TOO_LARGE",
        `The file has more than ${limits.rows.toLocaleString("en-US")} rows.`,
      );
    const cells = record.map(clean);
    const isTooWide = cells.slice(columns).some((cell) => cell !== "");
    const problem = isTooWide ? "The row has more cells than the header." : undefined;
    yield { number, cells: Array.from({ length: columns }, (_, index) => cells[index] ?? ""), problem };
    if (number % ROWS_IN_A_SLICE === 0) await breathe();
  }
  if (number === 0) throw new ImportFileError("EMPTY", "The file has no rows below its header.");
}

/** As PostgreSQL can hold it. Spreadsheets pad cells, and some write spaces that do not break. */
function clean(cell: string): string {
  return cutText(cell, cell.length).trim();
}

/** A name for each column: an empty one by its place, and one that was there before with a number. */
function columnNames(header: readonly string[]): string[] {
  const taken = new Set<string>();
  return header.map((cell, index) => {
    const name = cell === "" ? `Column ${index + 1}` : cell;
    let own = name;
    for (let count = 2; taken.has(own); count += 1) own = `${name} (${count})`;
    taken.add(own);
    return own;
  });
}
