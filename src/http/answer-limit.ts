import type { RequestHandler } from "express";
import { sendProblem } from "./error-handler.js";

/**
 * Answers 503 where the handlers behind it have not answered within `ms`: an honest error instead of a long wait. What
 * they still come up with is dropped, and a fault of theirs ends in the log (error-handler.tsx).
 */
export function createAnswerLimit({ ms }: { ms: number }): RequestHandler {
  return (request, response, next) => {
    const timer = setTimeout(() => {
      if (response.headersSent) return;
      response.locals["isOverdue"] = true;
      // Not by next(): the handlers behind will call that once more, and would find the route table used up.
      sendProblem(request, response, { status: 503, code: "STORAGE_UNAVAILABLE" });
    }, ms);
    response.once("close", () => {
      clearTimeout(timer);
    });
    next();
  };
}
