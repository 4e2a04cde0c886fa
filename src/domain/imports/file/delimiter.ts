/** What separates the cells of a row, the one that is rarest within a cell first. */
export const DELIMITERS = ["\t", ";", ","] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Spreadsheets write such a line before the header, for each other. */
const SEP_LINE = /^sep=([,;\t])(?:\r\n|\r|\n)/i;

/** How the file separates its cells, and how many characters come before its header. */
export interface FileBeginning {
  readonly delimiter: Delimiter;
  readonly skip: number;
}

/**
 * By a `sep=` line; otherwise by the separator that cuts most of the first rows into as many cells as the header, so that
 * commas in names and numbers mislead nobody. If rows do not tell, the separator counts that is most often in the header; a
 * header with none of them has one column.
 *
 * @param head the file's beginning: as much as there is of the first rows.
 */
export function beginningOf(head: string): FileBeginning {
  const named = SEP_LINE.exec(head);
  if (named !== null) return { delimiter: named[1] as Delimiter, skip: named[0].length };
  const [header = "", ...rows] = firstLines(head);
  const [best] = DELIMITERS.map((delimiter) => ({
    delimiter,
    inHeader: countOutsideQuotes(header, delimiter),
  }))
    .filter(({ inHeader }) => inHeader > 0)
    .map((one) => ({
      ...one,
      fitting: rows.filter((row) => countOutsideQuotes(row, one.delimiter) === one.inHeader).length,
    }))
    .sort((one, other) => other.fitting - one.fitting || other.inHeader - one.inHeader);
  return { delimiter: best?.delimiter ?? ",", skip: 0 };
}

/** How many rows are looked at. */
const LINES = 20;

/** Lines as CSV means them: a line break inside quotes does not end one. Blank lines are left out. */
function firstLines(head: string): string[] {
  const lines: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < head.length && lines.length < LINES; at += 1) {
    const character = head[at];
    if (character === '"') isQuoted = !isQuoted;
    if (isQuoted || (character !== "\n" && character !== "\r")) continue;
    if (head.slice(from, at).trim() !== "") lines.push(head.slice(from, at));
    from = at + 1;
  }
  if (lines.length === 0) lines.push(head.slice(from));
  return lines;
}

function countOutsideQuotes(line: string, delimiter: Delimiter): number {
  let count = 0;
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === delimiter) count += 1;
  }
  return count;
}
