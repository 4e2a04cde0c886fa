import type { ErrorRequestHandler, RequestHandler, Request, Response } from "express";
import { AppError } from "../../errors.js";
import type { Logger } from "#platform/observability/logger.js";
import { redactText } from "#platform/observability/redact.js";
import { databaseTroubleOf, isStorageDown } from "#platform/db/storage-faults.js";
import { MessagePage, sendPage } from "./page.js";
import { requestIdOf } from "./request-id.js";

/** Of a path in the log, in characters: our own are shorter. */
const LOGGED_PATH = 200;

interface Problem {
  status: number;
  code: string;
  /** What the operator has to fix first, in a sentence for the page. */
  means?: string | undefined;
}

/**
 * The only place that turns an exception into an answer: status, stable code and request id; never the error's own
 * message. A browser gets a page, every other client JSON `{ code, requestId }`.
 */
export function createErrorHandler({ logger }: { logger: Logger }): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  // eslint-disable-next-line max-params
  return (error: unknown, request, response, next) => {
    const problem = toProblem(error);
    const requestId = requestIdOf(response);
    const fields = {
      requestId,
      method: request.method,
      path: redactText(request.path, LOGGED_PATH),
      ...problem,
      type: typeOf(error),
    };
    // Answered when its time was up (answer-limit.ts), and whatever it tried was taken back: no fault of its own.
    if (response.locals["isOverdue"] === true && problem.status === 503)
      return logger.warn(fields, "request gave up after it had been answered");
    if (problem.code === "ANSWER_NOT_WANTED")
      logger.info(fields, "an answer took too long, or nobody waited for it");
    else if (problem.status >= 500) logger.error({ ...fields, err: error }, "request failed");
    // No message and no stack: both repeat what the caller wrote, and their mistakes are none of ours to trace.
    else logger.info(fields, "request refused");
    // Answered when its time was up (answer-limit.ts): to end the connection now would hit the request after it.
    if (response.locals["isOverdue"] === true) return;
    if (response.headersSent) return next(error);
    sendProblem(request, response, problem);
  };
}

/** The end of the route table. */
export function createNotFound(): RequestHandler {
  return (request, response) => sendProblem(request, response, { status: 404, code: "NOT_FOUND" });
}

/** Answers with a status and a stable code, in the form the caller reads. */
export function sendProblem(request: Request, response: Response, { status, code, means }: Problem): void {
  const requestId = requestIdOf(response);
  // What was to be a file is a message now: it must not be saved under the file's name.
  response.removeHeader("Content-Disposition");
  if (request.accepts(["json", "html"]) !== "html") {
    response.status(status).set("Cache-Control", "no-store").json({ code, requestId });
    return;
  }
  const { title, paragraph } = means === undefined ? wordsFor(status) : wordsForTrouble(means);
  const links = [
    { href: "/settings", label: "Overview" },
    { href: "/settings/activity", label: "Activity" },
  ];
  sendPage(
    response,
    status,
    <MessagePage title={title} paragraphs={[paragraph]} links={links} requestId={requestId} />,
  );
}

/** Waiting a minute is no help; the log has what is. */
function wordsForTrouble(means: string): { title: string; paragraph: string } {
  return {
    title: "Sequence Enroller has a problem",
    paragraph: `${means} Nothing was lost. We've been notified.`,
  };
}

function wordsFor(status: number): { title: string; paragraph: string } {
  if (status === 404) return { title: "Page not found", paragraph: "Check the address, or go to Overview." };
  if (status === 429)
    return {
      title: "Your account has several pages open at once",
      paragraph:
        "Pages and files are sent one at a time so every account gets its turn. Wait a few seconds, then reload this page.",
    };
  if (status < 500)
    return {
      title: "Something was wrong with that request",
      paragraph: "Go back and try again.",
    };
  if (status === 502 || status === 503) {
    return {
      title: "We can't reach HubSpot or our database right now",
      paragraph: "Nothing was lost. Try again in a minute.",
    };
  }
  return {
    title: "Something went wrong on our end",
    paragraph: "We've logged the error. Try again in a minute.",
  };
}

/** What kind of error it was: body parsers name it, everything else has its class. */
function typeOf(error: unknown): string {
  const { type, name } = (typeof error === "object" && error !== null ? error : {}) as {
    type?: unknown;
    name?: unknown;
  };
  if (typeof type === "string") return type;
  return typeof name === "string" ? name : typeof error;
}

/** Errors of Express's body parsers carry a status and a type; anything else without our status is a 500. */
function toProblem(error: unknown): Problem {
  if (error instanceof AppError) return { status: error.status, code: error.code };
  if (isStorageDown(error))
    return { status: 503, code: "STORAGE_UNAVAILABLE", means: databaseTroubleOf(error)?.means };
  const { status, type } = (typeof error === "object" && error !== null ? error : {}) as {
    status?: unknown;
    type?: unknown;
  };
  if (typeof status !== "number" || status < 400 || status > 499) return { status: 500, code: "INTERNAL" };
  if (status === 413 || type === "entity.too.large") return { status: 413, code: "BODY_TOO_LARGE" };
  return { status, code: "BAD_REQUEST" };
}
