import type { Request, RequestHandler, Response } from "express";
import { RequestDeadline, withDeadline } from "#platform/time/request-deadline.js";
import { sendProblem } from "./error-handler.js";

/** After a commit that was under way when the time was up: its handler has little left to do. */
const AFTER_COMMIT_MS = 1_000;

export interface AnswerLimit {
  readonly ms: number;
  /** Answers 503 in the form that the callers read. */
  readonly refuse?: (request: Request, response: Response) => void;
}

function refuseLate(request: Request, response: Response): void {
  sendProblem(request, response, { status: 503, code: "STORAGE_UNAVAILABLE" });
}

/**
 * Answers 503 if the handlers behind it have not answered within `ms`: an honest error instead of a long wait. Whatever
 * they have not committed by then is rolled back (request-deadline.ts), so "not saved" is true; their late output is
 * dropped, and their faults are logged (error-handler.tsx). A commit in progress may finish.
 */
export function createAnswerLimit({ ms, refuse = refuseLate }: AnswerLimit): RequestHandler {
  return (request, response, next) => {
    const deadline = new RequestDeadline();
    const giveUp = (): void => {
      if (response.headersSent) return;
      response.locals["isOverdue"] = true;
      // Not by next(): the handlers behind will call that once more, and would find the route table used up.
      refuse(request, response);
      closeToWriters(response);
    };
    let timer = setTimeout(() => {
      deadline.pass((wasCommitting) => {
        if (wasCommitting) timer = setTimeout(giveUp, AFTER_COMMIT_MS);
        else giveUp();
      });
    }, ms);
    response.once("close", () => {
      clearTimeout(timer);
    });
    withDeadline(deadline, next);
  };
}

/** The answer is out. What handlers still write is dropped without a fault, as if nobody read it. */
function closeToWriters(response: Response): void {
  const ignore = (): Response => response;
  const names = ["setHeader", "appendHeader", "removeHeader", "writeHead", "write", "end"] as const;
  for (const name of names) Object.defineProperty(response, name, { value: ignore });
}
