import type { Request, RequestHandler, Response } from "express";
import type { Logger } from "#platform/observability/logger.js";
import { refusalByHeaders, verifySignature, type SignatureRefusal } from "#platform/hubspot/signature.js";
import { carriesProxyIdentity } from "#web/kit/proxy-identity.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { bodyBytes, readBody, refuseCompressed, skipBody } from "./read-body.js";
import { refuseDeep } from "./refuse-deep.js";

export interface VerifiedRequestOptions {
  clientSecrets: readonly string[];
  /** What HubSpot calls us: signatures are over this, whatever `Host` says. */
  publicUrl: string;
  nowMs: () => number;
  logger: Logger;
  /** Called with the path of each request whose v2 was valid and whose v3 was not. */
  onBadV3?: (path: string) => void;
  /** Called for each request that gets 401. */
  onRefused?: (reason: RequestRefusal) => void;
}

/** Why a request got 401, in the log; docs/errors.md has a row for each. */
export type RequestRefusal = SignatureRefusal | "version_not_enough" | "proxied";

/**
 * Checks the headers, reads the raw body, refuses requests that HubSpot did not sign (401, without looking at the
 * body), and calls the next handler.
 *
 * @param versions accepted signatures: actions may come with v2 alone, or with a v3 that does not match; everything
 *   else has v3
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
      {
        clientSecrets: options.clientSecrets,
        nowMs: options.nowMs(),
        mayFallBack: versions.includes("v2"),
      },
    );
    if (verdict.kind === "valid" && versions.includes(verdict.version)) {
      if (verdict.isBesideBadV3) options.onBadV3?.(request.path);
      next();
      return;
    }
    refuse(options, { request, response }, verdict.kind === "valid" ? "version_not_enough" : verdict.reason);
  };

  const checkHeaders: RequestHandler = (request, response, next) => {
    const reason = refusalByHeaders(request.headers, options.nowMs());
    if (reason === undefined) next();
    else skipBody(request, response, () => refuse(options, { request, response }, reason));
  };

  return [checkHeaders, readBody, check, refuseCompressed, refuseDeep];
}

/**
 * The same for what HubSpot calls by itself: actions, dropdowns, webhooks. HubSpot's proxy signs with the same secret
 * whatever a user of any account lets the settings tab fetch, with a body of their choice; what it signed carries that
 * user's identity in the query (docs/decisions/011), and is refused here like a forgery.
 */
export function calledByHubSpot(
  options: VerifiedRequestOptions,
  versions?: readonly ("v3" | "v2")[],
): RequestHandler[] {
  const check: RequestHandler = (request, response, next) => {
    if (carriesProxyIdentity(request.originalUrl)) refuse(options, { request, response }, "proxied");
    else next();
  };
  return [...verifiedByHubSpot(options, versions), check];
}

function refuse(
  { logger, onRefused }: VerifiedRequestOptions,
  { request, response }: { request: Request; response: Response },
  reason: RequestRefusal,
): void {
  onRefused?.(reason);
  // The reason is for the operator's log; the caller learns nothing that helps to forge.
  logger.warn({ reason, path: request.path }, "refused a request that HubSpot did not sign for this route");
  response.status(401).json({ code: "SIGNATURE_REFUSED", requestId: requestIdOf(response) });
}
