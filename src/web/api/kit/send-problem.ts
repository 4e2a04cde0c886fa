import type { ErrorRequestHandler, Request, Response } from "express";
import { AppError } from "../../../errors.js";
import { NotAllowed } from "#domain/contract/actor-rights.js";
import { isStorageDown } from "#platform/db/storage-faults.js";
import { HubSpotError, TooManyQuestions } from "#platform/hubspot/errors.js";
import type { Logger } from "#platform/observability/logger.js";
import { redactText } from "#platform/observability/redact.js";
import { endOnceDrained } from "#web/kit/body/drain-body.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { refusal, RefusedCall, titleOf, type RefusedRequest } from "./problem.js";

/** Page that explains the codes, below the app's own address; each code has an anchor. */
export const PROBLEM_PAGE = "/api/docs/errors";

/** Of a path in the log, in characters: our own are shorter. */
const LOGGED_PATH = 200;
/** What a caller who is refused for our own fault should wait, in seconds. */
const ASK_AGAIN_S = 5;

/**
 * Answers with `application/problem+json` (RFC 9457). What of the request's body was not read is discarded first, so that
 * the answer is not lost with the connection.
 */
export function sendRefusal(
  { request, response, publicUrl }: { request: Request; response: Response; publicUrl: string },
  { status, code, detail, errors, headers }: RefusedRequest,
): void {
  const body = JSON.stringify({
    type: `${publicUrl}${PROBLEM_PAGE}#${code}`,
    title: titleOf(code),
    status,
    detail,
    code,
    requestId: requestIdOf(response),
    ...(errors && { errors }),
  });
  response
    .status(status)
    .set(headers ?? {})
    .set("Content-Type", "application/problem+json; charset=utf-8")
    .set("Content-Length", String(Buffer.byteLength(body)));
  if (isReadToTheEnd(request)) {
    response.end(request.method === "HEAD" ? undefined : body);
    return;
  }
  response.set("Connection", "close");
  response.write(body);
  endOnceDrained(request, response);
}

function isReadToTheEnd({ complete, headers }: Request): boolean {
  const announced = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
  return complete || !announced;
}

/** The only place of the API that turns an exception into an answer; never with the exception's own message. */
export function createApiErrorHandler({
  logger,
  publicUrl,
}: {
  logger: Logger;
  publicUrl: string;
}): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line max-params
  return (error: unknown, request, response, next) => {
    const refused = refusalFor(error);
    const { status, code } = refused;
    const fields = {
      requestId: requestIdOf(response),
      method: request.method,
      status,
      code,
      path: redactText(request.originalUrl.split("?", 1)[0] ?? "", LOGGED_PATH),
    };
    const isOurs = status >= 500 && response.locals["isOverdue"] !== true && !(error instanceof HubSpotError);
    if (isOurs) logger.error({ ...fields, err: error }, "a request of the API failed");
    else logger.info(fields, "a request of the API was refused");
    if (response.locals["isOverdue"] === true) return;
    if (response.headersSent) return next(error);
    sendRefusal({ request, response, publicUrl }, refused);
  };
}

/** A path or a body that cannot be decoded is the caller's; so Express says, by a status of its own. */
function refusalFor(error: unknown): RefusedRequest {
  if (error instanceof RefusedCall) return error.refusal;
  if (error instanceof NotAllowed) return refusal("FORBIDDEN");
  if (error instanceof TooManyQuestions) return TOO_MANY_QUESTIONS;
  if (error instanceof HubSpotError) return hubSpotSilent();
  if (isStorageDown(error) || (error instanceof AppError && error.status === 503)) return unavailable();
  const { status } = (typeof error === "object" && error !== null ? error : {}) as { status?: unknown };
  if (!(error instanceof AppError) && typeof status === "number" && status >= 400 && status < 500)
    return refusal("INVALID_REQUEST");
  return refusal("UNAVAILABLE", { status: 500, detail: "Something went wrong here, and was recorded." });
}

/** What HubSpot has to be asked for waits for a place among the account's other requests. */
const TOO_MANY_QUESTIONS: RefusedRequest = refusal("RATE_LIMITED", {
  detail: "HubSpot was asked as often as the account's other work allows.",
  headers: { "Retry-After": String(ASK_AGAIN_S) },
});

function hubSpotSilent(): RefusedRequest {
  return refusal("UNAVAILABLE", {
    detail: "HubSpot did not answer this. Send the request again later.",
    headers: { "Retry-After": String(ASK_AGAIN_S) },
  });
}

export function unavailable(): RefusedRequest {
  return refusal("UNAVAILABLE", { headers: { "Retry-After": String(ASK_AGAIN_S) } });
}
