import type { Request, Response } from "express";
import { bodyBytes } from "./read-body.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { isDeeperThan } from "#platform/text/json-depth.js";

/** Deeper than anything HubSpot sends. */
const MAX_DEPTH = 100;

/**
 * False, and answered, for a body that can be parsed but not serialized again: it would fail at every delivery, and
 * HubSpot would repeat it for days after a 503. For after the signature check and before parsing.
 */
export function isShallow(request: Request, response: Response): boolean {
  if (!isDeeperThan(MAX_DEPTH, bodyBytes(request))) return true;
  response.status(400).json({
    code: "BODY_TOO_DEEP",
    message: `The JSON is nested more than ${MAX_DEPTH} levels deep.`,
    requestId: requestIdOf(response),
  });
  return false;
}
