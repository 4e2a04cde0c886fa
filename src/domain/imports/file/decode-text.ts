import { ImportFileError } from "./file-error.js";

/** What a file's first bytes can say; a file without a byte order mark is UTF-8 until a byte shows otherwise. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** First bytes that are looked at before anything is decoded. */
const HEAD_BYTES = 1_024;

/**
 * The text of a file of unknown encoding, piece by piece, without a byte order mark. UTF-16 is known by its mark or by
 * where its zero bytes are. Otherwise the first byte that is not ASCII decides: if a character of UTF-8 begins with it, the
 * file is UTF-8, otherwise Windows-1252, as spreadsheets save. A file that then has bytes that do not fit is damaged, and
 * refused: its names would come out as rubbish.
 *
 * @throws ImportFileError for a damaged file.
 */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const pieces = withHead(bytes);
  const first = await pieces.next();
  if (first.done === true) return;
  const decoder = new TextPieces(encodingOf(first.value));
  yield decoder.read(first.value);
  for await (const piece of pieces) yield decoder.read(piece);
  yield decoder.end();
}

/** The same pieces, but the first is long enough to tell the encoding by. */
async function* withHead(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  let head: Uint8Array | undefined = new Uint8Array();
  for await (const piece of bytes) {
    if (head === undefined) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < HEAD_BYTES) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
  return undefined;
}

/** By the byte order mark; without one, by zero bytes: text in UTF-16 has one in most of its characters. */
export function encodingOf(head: Uint8Array): Encoding {
  const [first, second] = head;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const sample = head.subarray(0, HEAD_BYTES);
  const zeros = [0, 0];
  sample.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  const many = sample.length / 8;
  if (odd > many && odd > 4 * even) return "utf-16le";
  if (even > many && even > 4 * odd) return "utf-16be";
  return "utf-8";
}

/** How many bytes the UTF-8 character has that begins with this byte; 0: none begins with it. */
function utf8LengthOf(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

function beginsWithCharacter(bytes: Uint8Array): boolean {
  const length = utf8LengthOf(bytes[0] ?? 0);
  if (length === 0 || bytes.length < length) return false;
  return bytes.subarray(1, length).every((byte) => byte >= 0x80 && byte <= 0xbf);
}

const NONE = new Uint8Array();
/** Bytes of the longest character. */
const LONGEST_CHARACTER = 4;

/** Decodes piece by piece. Until the first byte that is not ASCII, UTF-8 and Windows-1252 are the same. */
class TextPieces {
  #encoding: Encoding;
  #decoder: TextDecoder;
  #isUndecided: boolean;
  /** Bytes of the first character that is not ASCII, until there are enough to decide by. */
  #held: Uint8Array = NONE;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
    this.#decoder = new TextDecoder(encoding, { fatal: true });
    this.#isUndecided = encoding === "utf-8";
  }

  read(piece: Uint8Array): string {
    return this.#isUndecided ? this.#readUndecided(piece, false) : this.#decode(piece, true);
  }

  end(): string {
    const rest = this.#isUndecided ? this.#readUndecided(NONE, true) : "";
    return rest + this.#decode(NONE, false);
  }

  /** The first character that is not ASCII decides, wherever it is in the file and however the pieces are cut. */
  #readUndecided(piece: Uint8Array, isEnd: boolean): string {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    this.#held = NONE;
    const first = bytes.findIndex((byte) => byte >= 0x80);
    if (first === -1) return this.#decode(bytes, true);
    if (!isEnd && bytes.length - first < LONGEST_CHARACTER) {
      this.#held = bytes.slice(first);
      return this.#decode(bytes.subarray(0, first), true);
    }
    this.#isUndecided = false;
    if (beginsWithCharacter(bytes.subarray(first))) return this.#decode(bytes, true);
    const before = this.#decode(bytes.subarray(0, first), true);
    this.#encoding = "windows-1252";
    this.#decoder = new TextDecoder("windows-1252");
    return before + this.#decode(bytes.subarray(first), true);
  }

  #decode(piece: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(piece, { stream });
    } catch (error) {
      const name = this.#encoding.toUpperCase();
      throw new ImportFileError(
        "ENCODING",
        `The file begins as ${name}, but has bytes in it that are not. Save it as “CSV UTF-8” and upload it again.`,
        { cause: error },
      );
    }
  }
}
