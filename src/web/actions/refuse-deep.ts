import type { RequestHandler } from "express";
import { bodyBytes } from "./read-body.js";
import { requestIdOf } from "#web/kit/request-id.js";

/** Deeper than anything HubSpot sends, and far from where what is written recursively, as JSON is, overflows the stack. */
const MAX_DEPTH = 100;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING: ReadonlySet<number | undefined> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number | undefined> = new Set([0x5d, 0x7d]);

/** Where the text that begins at `start` ends: at its closing quote, or with the body. */
function endOfText(body: Buffer, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Counts brackets outside texts; whether they make JSON is for the parser to say. */
function isTooDeep(body: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfText(body, at);
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/**
 * Called after the signature check and before parsing: a body that can be parsed but not serialized again would fail at
 * every delivery, and HubSpot would repeat it for days after a 503.
 */
export const refuseDeep: RequestHandler = (request, response, next) => {
  if (!isTooDeep(bodyBytes(request))) {
    next();
    return;
  }
  response.status(400).json({
    code: "BODY_TOO_DEEP",
    message: `The JSON is nested more than ${MAX_DEPTH} levels deep.`,
    requestId: requestIdOf(response),
  });
};
