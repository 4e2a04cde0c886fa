import express, {
  type ErrorRequestHandler,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import type { Logger } from "../observability/logger.js";
import { verifySignature } from "../hubspot/signature.js";
import { requestIdOf } from "../http/request-id.js";

export interface VerifiedRequestOptions {
  clientSecrets: readonly string[];
  /** What HubSpot calls us: signatures are over this, whatever `Host` says. */
  publicUrl: string;
  nowMs: () => number;
  logger: Logger;
}

/** Bodies above this are refused unread (design §2.4). */
const MAX_BODY_BYTES = 256 * 1024;

const NO_BODY = Buffer.alloc(0);

/** The bytes of a request that passed {@link verifiedByHubSpot}. */
export function bodyBytes(request: Request): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NO_BODY;
}

/** Reads the raw body, refuses what HubSpot did not sign (401, nothing of the body looked at), and goes on. */
export function verifiedByHubSpot(options: VerifiedRequestOptions): (RequestHandler | ErrorRequestHandler)[] {
  const readBytes = express.raw({ type: () => true, limit: MAX_BODY_BYTES, inflate: false });

  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line max-params
  function refuseUnreadable(
    fault: { status?: unknown },
    _request: Request,
    response: Response,
    next: NextFunction,
  ): void {
    const status = typeof fault.status === "number" ? fault.status : 500;
    if (status >= 500) {
      next(fault);
      return;
    }
    response.status(status).json({
      code: status === 413 ? "BODY_TOO_LARGE" : "BODY_UNREADABLE",
      requestId: requestIdOf(response),
    });
  }

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
    if (verdict.kind === "valid") {
      next();
      return;
    }
    // The reason is for the operator's log; the caller learns nothing that helps to forge.
    options.logger.warn(
      { reason: verdict.reason, path: request.path },
      "refused a request that HubSpot did not sign",
    );
    response.status(401).json({ code: "SIGNATURE_REFUSED", requestId: requestIdOf(response) });
  };

  return [readBytes, refuseUnreadable, check];
}
