import type { RequestHandler } from "express";
import { bodyBytes } from "./read-body.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { isDeeperThan } from "#platform/text/json-depth.js";

/** Deeper than anything HubSpot sends. */
const MAX_DEPTH = 100;

/**
 * Called after the signature check and before parsing: a body that can be parsed but not serialized again would fail at
 * every delivery, and HubSpot would repeat it for days after a 503.
 */
export const refuseDeep: RequestHandler = (request, response, next) => {
  if (!isDeeperThan(MAX_DEPTH, bodyBytes(request))) {
    next();
    return;
  }
  response.status(400).json({
    code: "BODY_TOO_DEEP",
    message: `The JSON is nested more than ${MAX_DEPTH} levels deep.`,
    requestId: requestIdOf(response),
  });
};
