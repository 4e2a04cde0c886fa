import type { Request, RequestHandler, Response } from "express";
import { requestIdOf } from "../http/request-id.js";

/** Bodies above this are refused unread (design §2.4). */
const MAX_BODY_BYTES = 256 * 1024;

const NO_BODY = Buffer.alloc(0);

/** The bytes that {@link readBody} found. */
export function bodyBytes(request: Request): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NO_BODY;
}

function refuse(request: Request, response: Response, status: 400 | 413 | 415): void {
  // What is still to come is let pass by, so that the caller gets to read the answer; the connection ends with it.
  request.removeAllListeners("data").resume();
  response
    .status(status)
    .set("Connection", "close")
    .json({
      code: status === 413 ? "BODY_TOO_LARGE" : "BODY_UNREADABLE",
      requestId: requestIdOf(response),
    });
}

/**
 * Reads the body as it is, whatever its type: signatures are over the bytes sent, so compressed ones are refused (415).
 * By hand and not by body-parser, whose generality costs a tenth of a whole call (docs/scale.md).
 */
export const readBody: RequestHandler = (request, response, next) => {
  const { "content-encoding": encoding, "content-length": length } = request.headers;
  if (encoding !== undefined && encoding !== "identity") {
    refuse(request, response, 415);
    return;
  }
  if (Number(length ?? 0) > MAX_BODY_BYTES) {
    refuse(request, response, 413);
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      chunks.length = 0;
      refuse(request, response, 413);
      return;
    }
    chunks.push(chunk);
  });
  request.on("end", () => {
    if (size > MAX_BODY_BYTES) return;
    request.body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size);
    next();
  });
  // A caller who hangs up half-way hears no answer.
  request.on("error", () => {
    chunks.length = 0;
  });
};
