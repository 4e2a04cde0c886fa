import type { RequestHandler } from "express";
import type { Logger } from "../observability/logger.js";
import { verifySignature } from "../hubspot/signature.js";
import { requestIdOf } from "../http/request-id.js";
import { bodyBytes, readBody } from "./read-body.js";

export interface VerifiedRequestOptions {
  clientSecrets: readonly string[];
  /** What HubSpot calls us: signatures are over this, whatever `Host` says. */
  publicUrl: string;
  nowMs: () => number;
  logger: Logger;
  /** Refuses v2, which says nothing of the time: for callers of which v3 is documented. */
  onlyV3?: boolean;
}

/** Reads the raw body, refuses what HubSpot did not sign (401, nothing of the body looked at), and goes on. */
export function verifiedByHubSpot(options: VerifiedRequestOptions): RequestHandler[] {
  const check: RequestHandler = (request, response, next) => {
    const verdict = verifySignature(
      {
        method: request.method,
        url: options.publicUrl + request.originalUrl,
        body: bodyBytes(request),
        headers: request.headers,
      },
      { clientSecrets: options.clientSecrets, nowMs: options.nowMs() },
    );
    const isEnough = verdict.kind === "valid" && (options.onlyV3 !== true || verdict.version === "v3");
    if (isEnough) {
      next();
      return;
    }
    // The reason is for the operator's log; the caller learns nothing that helps to forge.
    options.logger.warn(
      { reason: verdict.kind === "valid" ? "unsupported_version" : verdict.reason, path: request.path },
      "refused a request that HubSpot did not sign",
    );
    response.status(401).json({ code: "SIGNATURE_REFUSED", requestId: requestIdOf(response) });
  };

  return [readBody, check];
}
