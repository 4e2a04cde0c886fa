import type { Piece } from "./stream-body.js";

/** A line of a streamed body: its text, or why it has none that can be used. */
export type Line = { readonly text: string } | { readonly problem: "too-long" | "not-text" };

const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/** Lines that have arrived together. */
export interface Arrived {
  readonly lines: readonly Line[];
  /** Nothing comes after them. */
  readonly isLast: boolean;
}

/**
 * Splits a stream of bytes into its lines, in the memory of one piece: those that each piece completes, together. Blank
 * lines are left out. The last line needs no line break.
 *
 * @param mostBytes a longer line is passed over and told as such
 */
export async function* splitLines(pieces: AsyncIterable<Piece>, mostBytes: number): AsyncGenerator<Arrived> {
  const splitter = new LineSplitter(mostBytes);
  let isLast = false;
  for await (const piece of pieces) {
    ({ isLast } = piece);
    const lines = [...splitter.take(piece.bytes), ...(isLast ? splitter.end() : [])];
    if (lines.length > 0 || isLast) yield { lines, isLast };
  }
  if (!isLast) yield { lines: splitter.end(), isLast: true };
}

class LineSplitter {
  readonly #mostBytes: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The beginning of a line whose end is still to come. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #isFirst = true;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  take(piece: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, start)) {
      this.#add(piece.subarray(start, at));
      lines.push(...this.end());
      start = at + 1;
    }
    this.#add(piece.subarray(start));
    return lines;
  }

  /** The line that was begun, if it is not blank. */
  end(): Line[] {
    const [begun, size] = [this.#begun, this.#begunBytes];
    const isFirst = this.#isFirst;
    if (size > 0) this.#isFirst = false;
    [this.#begun, this.#begunBytes] = [[], 0];
    // A carriage return at the end belongs to the line break.
    if (size > this.#mostBytes + 1) return [{ problem: "too-long" }];
    const bytes = trimmed(Buffer.concat(begun), isFirst);
    if (bytes.length > this.#mostBytes) return [{ problem: "too-long" }];
    try {
      const text = this.#decoder.decode(bytes);
      return text.trim() === "" ? [] : [{ text }];
    } catch {
      return [{ problem: "not-text" }];
    }
  }

  /** Of a line that is too long, the rest is not kept. */
  #add(bytes: Buffer): void {
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > this.#mostBytes + 1) this.#begun = [];
    else if (bytes.length > 0) this.#begun.push(Buffer.from(bytes));
  }
}

function trimmed(bytes: Buffer, isFirst: boolean): Buffer {
  const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
  const hasMark = isFirst && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  return bytes.subarray(hasMark ? BYTE_ORDER_MARK.length : 0, end);
}
