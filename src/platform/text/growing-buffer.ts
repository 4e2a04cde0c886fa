const FIRST_BYTES = 4_096;
const NO_BYTES = Buffer.alloc(0);

/**
 * Collects bytes that come in pieces, in one buffer: a list would cost an object of some hundred bytes per piece,
 * however small the pieces are.
 */
export class GrowingBuffer {
  size = 0;
  private bytes: Buffer = NO_BYTES;
  private readonly expected: number | undefined;

  /** @param expected how many bytes are announced, if known; memory is allocated only for what arrived. */
  constructor(expected?: number) {
    this.expected = expected;
  }

  add(piece: Uint8Array): void {
    const size = this.size + piece.length;
    if (this.size === 0 && piece.length === this.expected) {
      // Everything in one piece, which is usual: nothing is copied.
      this.bytes = Buffer.isBuffer(piece)
        ? piece
        : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    } else {
      if (size > this.bytes.length) this.grow(size);
      this.bytes.set(piece, this.size);
    }
    this.size = size;
  }

  /** The bytes so far. It shares the memory: add nothing afterward. */
  content(): Buffer {
    return this.size === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.size);
  }

  private grow(size: number): void {
    const roomy = Math.max(size, FIRST_BYTES, this.bytes.length * 2);
    const isEnough = this.expected !== undefined && this.expected >= size;
    const grown = Buffer.allocUnsafe(isEnough ? Math.min(roomy, this.expected) : roomy);
    this.bytes.copy(grown, 0, 0, this.size);
    this.bytes = grown;
  }
}
