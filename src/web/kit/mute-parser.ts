import type { Socket } from "node:net";

/** Node's parser of a connection, which no documentation names: everything about it may be missing one day. */
interface ParserHolder {
  readonly parser?:
    (Record<number, unknown> & { readonly constructor: { readonly kOnBody?: unknown } }) | null;
}

/**
 * Has the parser of a connection hand out nothing more of what it is reading. A socket that is destroyed is read no
 * further, but of the 64 KiB that are read already the parser would copy and hand out each piece, and those are ten thousand
 * if a piece is a byte. Parsers are used again for other connections, so it speaks again in the next turn; that is before
 * the closed connection gives it back. With a Node that keeps it elsewhere this does nothing, and hanging up costs more.
 */
export function muteParser(socket: Socket): void {
  const { parser } = socket as ParserHolder;
  const slot = parser?.constructor.kOnBody;
  if (parser == null || typeof slot !== "number") return;
  const handOut = parser[slot];
  if (typeof handOut !== "function") return;
  parser[slot] = undefined;
  setImmediate(() => (parser[slot] = handOut));
}
