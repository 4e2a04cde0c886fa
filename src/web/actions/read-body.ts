import type { Request, Response } from "express";
import { collectBody } from "#web/kit/body/collect-body.js";
import { endOnceDrained } from "#web/kit/body/drain-body.js";
import { requestIdOf } from "#web/kit/request-id.js";

/** Bodies above this are refused unread. */
const MAX_BODY_BYTES = 256 * 1024;

const NO_BODY = Buffer.alloc(0);

/** The bytes that {@link readBody} found. */
export function bodyBytes(request: Request): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NO_BODY;
}

function refuseUnread(request: Request, response: Response): void {
  const body = JSON.stringify({ code: "BODY_TOO_LARGE", requestId: requestIdOf(response) });
  response
    .writeHead(413, {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      Connection: "close",
    })
    .write(body);
  endOnceDrained(request, response);
}

/** False, and answered: a body that is signed and compressed anyway is not taken apart. For after the signature. */
export function isReadable({ headers }: Request, response: Response): boolean {
  const { "content-encoding": encoding } = headers;
  if (encoding === undefined || encoding === "identity") return true;
  response.status(415).json({ code: "BODY_UNREADABLE", requestId: requestIdOf(response) });
  return false;
}

/** A discarded chunked body is awaited no longer than this. */
const MAX_SKIM_MS = 1_000;

/**
 * Reads the raw body, whatever its type and encoding: signatures cover the bytes sent. A body that is too large is
 * refused before its signature is checked, since it is not read. Our own code and not body-parser, whose generality
 * costs a tenth of a whole call (docs/scale.md).
 */
export function readBody(request: Request, response: Response, next: () => void): void {
  collectBody(request, { maxBytes: MAX_BODY_BYTES }, (end) => {
    if (end.kind === "too-large") return refuseUnread(request, response);
    request.body = end.body;
    next();
  });
}

/**
 * For a request that is refused by its headers: calls `refuse` without keeping a byte of the body. Where only the end of
 * the body would tell that it is too large, it is counted for a moment, so that the answer is the same for all such.
 */
export function skipBody(request: Request, response: Response, refuse: () => void): void {
  if (request.headers["transfer-encoding"] === undefined && !announcesTooMuch(request)) return refuse();
  const timer = setTimeout(() => {
    if (!response.headersSent) refuse();
  }, MAX_SKIM_MS);
  collectBody(request, { maxBytes: MAX_BODY_BYTES, isKept: false }, ({ kind }) => {
    clearTimeout(timer);
    if (response.headersSent) return;
    if (kind === "too-large") refuseUnread(request, response);
    else refuse();
  });
}

function announcesTooMuch({ headers }: Request): boolean {
  return Number(headers["content-length"] ?? 0) > MAX_BODY_BYTES;
}
