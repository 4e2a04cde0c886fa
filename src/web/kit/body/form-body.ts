import { AsyncResource } from "node:async_hooks";
import { parse } from "node:querystring";
import type { Request, RequestHandler } from "express";
import { AppError } from "../../../errors.js";
import { collectBody } from "./collect-body.js";

/** How large a form may be, and with how many fields. */
export interface FormSize {
  maxBytes: number;
  maxFields: number;
}

/**
 * Reads the fields of a form into `request.body`, which stays undefined if none was sent. In UTF-8, as our pages
 * send it, whatever charset the request names. By hand, and not by body-parser, which takes apart compressed bodies,
 * looks up charsets by name, and repeats both in its errors.
 *
 * Fails with 413 for a form that is too large, 415 for one that is compressed.
 */
export function readFormBody({ maxBytes, maxFields }: FormSize): RequestHandler {
  return (request, _response, next) => {
    if (!isForm(request)) return next();
    if (!isPlain(request)) return next(new BodyRefused(415, "BODY_UNREADABLE"));
    // The body's events come from the connection, not from this request: its deadline would be lost on the way.
    const goOn = AsyncResource.bind(next);
    collectBody(request, { maxBytes }, (end) => {
      if (end.kind === "too-large") return goOn(new BodyRefused(413, "BODY_TOO_LARGE"));
      const text = end.body.toString("utf8");
      if (countFields(text) > maxFields) return goOn(new BodyRefused(413, "BODY_TOO_LARGE"));
      request.body = parse(text, "&", "=", { maxKeys: 0 });
      goOn();
    });
  };
}

/** A body that is not read as a form. */
class BodyRefused extends AppError {
  override readonly status: number;
  readonly code: string;

  constructor(status: number, code: string) {
    super("the form was not read");
    this.status = status;
    this.code = code;
  }
}

function isForm({ headers }: Request): boolean {
  const type = headers["content-type"]?.slice(0, 100).split(";", 1)[0] ?? "";
  return type.trim().toLowerCase() === "application/x-www-form-urlencoded";
}

function isPlain({ headers }: Request): boolean {
  return (headers["content-encoding"] ?? "identity") === "identity";
}

function countFields(text: string): number {
  let count = 1;
  for (let at = text.indexOf("&"); at !== -1; at = text.indexOf("&", at + 1)) count += 1;
  return count;
}
