import { randomUUID } from "node:crypto";
import type { RequestHandler, Response } from "express";

const HEADER = "x-request-id";
/** Ids from a proxy are kept only in this form: they go into logs and pages. */
const SAFE_ID = /^[\w.:-]{8,64}$/;

/** Gives every request an id, the caller's own where it brought a harmless one, and sends it back. */
export function createRequestId(): RequestHandler {
  return (request, response, next) => {
    const given = request.get(HEADER);
    response.setHeader(HEADER, given !== undefined && SAFE_ID.test(given) ? given : randomUUID());
    next();
  };
}

/** The id this response carries; empty if `createRequestId` is not mounted. */
export function requestIdOf(response: Response): string {
  const id = response.getHeader(HEADER);
  return typeof id === "string" ? id : "";
}
