import type { Request, RequestHandler, Response } from "express";
import type { Logger } from "#platform/observability/logger.js";
import { refusalByHeaders, verifySignature, type SignatureRefusal } from "#platform/hubspot/signature.js";
import { carriesProxyIdentity } from "#web/kit/proxy-identity.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { bodyBytes, isReadable, readBody, skipBody } from "./read-body.js";
import { isShallow } from "./shallow-body.js";

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

/** What a route demands besides a signature. */
interface Demand {
  /** Accepted signatures: actions may come with v2 alone, or with a v3 that does not match; everything else has v3. */
  readonly versions: readonly ("v3" | "v2")[];
  /** Whether HubSpot's proxy for the settings tab may call. */
  readonly mayBeProxied: boolean;
}

/**
 * Checks the headers, reads the raw body, refuses requests that HubSpot did not sign (401, without looking at the
 * body) and bodies that cannot be read, and calls the next handler. One handler and not one for each step: every call of
 * a workflow passes here, and Express takes its time to find the next.
 */
export function verifiedByHubSpot(
  options: VerifiedRequestOptions,
  { versions = ["v3", "v2"], mayBeProxied = true }: Partial<Demand> = {},
): RequestHandler {
  const demand = { versions, mayBeProxied };
  return (request, response, next) => {
    const exchange = { request, response };
    const reason = refusalByHeaders(request.headers, options.nowMs());
    if (reason !== undefined) {
      skipBody(request, response, () => refuse(options, exchange, reason));
      return;
    }
    readBody(request, response, () => {
      let mayPass = false;
      try {
        mayPass = isAccepted(options, exchange, demand);
      } catch (error) {
        // Out of Express's sight: whatever is thrown here would end the process.
        next(error);
        return;
      }
      if (mayPass) next();
    });
  };
}

/**
 * The same for what HubSpot calls by itself: actions, dropdowns, webhooks. HubSpot's proxy signs with the same secret
 * whatever a user of any account lets the settings tab fetch, with a body of their choice; what it signed carries that
 * user's identity in the query (docs/decisions/011), and is refused here like a forgery.
 */
export function calledByHubSpot(
  options: VerifiedRequestOptions,
  demand: Pick<Partial<Demand>, "versions"> = {},
): RequestHandler {
  return verifiedByHubSpot(options, { ...demand, mayBeProxied: false });
}

/** False, and answered, if the body is not HubSpot's or cannot be read. */
function isAccepted(
  options: VerifiedRequestOptions,
  { request, response }: Exchange,
  demand: Demand,
): boolean {
  const refusal = refusalOf(request, options, demand);
  if (refusal === undefined) return isReadable(request, response) && isShallow(request, response);
  refuse(options, { request, response }, refusal);
  return false;
}

/** Why the request is not HubSpot's, judged with its body; undefined if it is. */
function refusalOf(
  request: Request,
  options: VerifiedRequestOptions,
  { versions, mayBeProxied }: Demand,
): RequestRefusal | undefined {
  const { method, originalUrl, headers } = request;
  const verdict = verifySignature(
    { method, url: options.publicUrl + originalUrl, body: bodyBytes(request), headers },
    { clientSecrets: options.clientSecrets, nowMs: options.nowMs(), mayFallBack: versions.includes("v2") },
  );
  if (verdict.kind === "refused") return verdict.reason;
  if (!versions.includes(verdict.version)) return "version_not_enough";
  if (verdict.isBesideBadV3) options.onBadV3?.(request.path);
  return mayBeProxied || !carriesProxyIdentity(originalUrl) ? undefined : "proxied";
}

interface Exchange {
  readonly request: Request;
  readonly response: Response;
}

function refuse(
  { logger, onRefused }: VerifiedRequestOptions,
  { request, response }: Exchange,
  reason: RequestRefusal,
): void {
  onRefused?.(reason);
  // The reason is for the operator's log; the caller learns nothing that helps to forge.
  logger.warn({ reason, path: request.path }, "refused a request that HubSpot did not sign for this route");
  response.status(401).json({ code: "SIGNATURE_REFUSED", requestId: requestIdOf(response) });
}
