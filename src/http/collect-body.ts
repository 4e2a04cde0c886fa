import type { IncomingMessage, ServerResponse } from "node:http";
import { GrowingBuffer } from "../growing-buffer.js";

/**
 * How the body of a request ended: it is there; it is larger than it may be; or it comes in crumbs, which no HTTP client
 * does by itself and which cost us far more than their sender.
 */
export type BodyEnd = { kind: "whole"; body: Buffer } | { kind: "too-large" } | { kind: "in-crumbs" };

/** So many pieces are looked at before they are judged by their size. */
const MANY_PIECES = 1_024;
const LEAST_MEAN_BYTES = 64;

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
  let [size, pieces] = [0, 0];
  const finish = (end: BodyEnd): void => {
    request.off("data", take).off("end", finishWhole);
    done(end);
  };
  const finishWhole = (): void => finish({ kind: "whole", body: bytes.content() });
  const take = (piece: Buffer): void => {
    size += piece.length;
    pieces += 1;
    if (size > maxBytes) return finish({ kind: "too-large" });
    if (pieces > MANY_PIECES && size < pieces * LEAST_MEAN_BYTES) return finish({ kind: "in-crumbs" });
    if (isKept) bytes.add(piece);
  };
  request.on("data", take).on("end", finishWhole);
}

/** Ends the connection with the answer: what is still to come of the request would go on costing. */
export function closeAfter(response: ServerResponse): void {
  response.setHeader("Connection", "close");
  response.once("finish", () => response.socket?.destroy());
}
