import type { RequestHandler } from "express";
import type { Logger } from "../observability/logger.js";
import { verifySignature } from "../hubspot/signature.js";
import { requestIdOf } from "../http/request-id.js";
import { bodyBytes, readBody, refuseCompressed } from "./read-body.js";

export interface VerifiedRequestOptions {
  clientSecrets: readonly string[];
  /** What HubSpot calls us: signatures are over this, whatever `Host` says. */
  publicUrl: string;
  nowMs: () => number;
  logger: Logger;
}

/**
 * Reads the raw body, refuses what HubSpot did not sign (401, nothing of the body looked at), and goes on.
 *
 * @param versions signatures that will do: actions may come with v2 alone, everything else has v3 (dossier §4)
 */
export function verifiedByHubSpot(
  options: VerifiedRequestOptions,
  versions: readonly ("v3" | "v2")[] = ["v3", "v2"],
): RequestHandler[] {
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
    if (verdict.kind === "valid" && versions.includes(verdict.version)) {
      next();
      return;
    }
    const reason = verdict.kind === "valid" ? "version_not_enough" : verdict.reason;
    // The reason is for the operator's log; the caller learns nothing that helps to forge.
    options.logger.warn({ reason, path: request.path }, "refused a request that HubSpot did not sign");
    response.status(401).json({ code: "SIGNATURE_REFUSED", requestId: requestIdOf(response) });
  };

  return [readBody, check, refuseCompressed];
}
