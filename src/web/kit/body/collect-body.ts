import type { IncomingMessage } from "node:http";
import { GrowingBuffer } from "#platform/text/growing-buffer.js";

/** How the body of a request ended: it is there, or it is larger than it may be. */
export type BodyEnd = { kind: "whole"; body: Buffer } | { kind: "too-large" };

/**
 * Collects the raw body of a request. What of it is still to come after `done` is left to the caller.
 *
 * @param options.maxBytes a body that announces more is not read at all
 * @param options.isKept false to learn only how it ends, in no memory: `whole` comes with an empty body then
 * @param done called once, at once where the announced length is too much already; never when the caller hangs up
 */
export function collectBody(
  request: IncomingMessage,
  { maxBytes, isKept = true }: { maxBytes: number; isKept?: boolean },
  done: (end: BodyEnd) => void,
): void {
  const { "content-length": announced } = request.headers;
  const expected = announced === undefined ? undefined : Number(announced);
  if (expected !== undefined && expected > maxBytes) return done({ kind: "too-large" });
  const bytes = new GrowingBuffer(expected);
  let size = 0;
  const finish = (end: BodyEnd): void => {
    request.off("data", take).off("end", finishWhole);
    done(end);
  };
  const finishWhole = (): void => finish({ kind: "whole", body: bytes.content() });
  const take = (piece: Buffer): void => {
    size += piece.length;
    if (size > maxBytes) return finish({ kind: "too-large" });
    if (isKept) bytes.add(piece);
  };
  request.on("data", take).on("end", finishWhole);
}
