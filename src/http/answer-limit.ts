import type { RequestHandler, Response } from "express";
import { AppError } from "../errors.js";

/** What an answer needs, in practice the database, did not come in time. */
class AnswerOverdue extends AppError {
  override readonly code = "STORAGE_UNAVAILABLE";
  override readonly status = 503;
  override readonly retryable = true;
}

const overdue = new WeakSet<Response>();

/** Whether the answer was given by {@link createAnswerLimit}: what a handler still comes up with is too late. */
export function isOverdue(response: Response): boolean {
  return overdue.has(response);
}

/** Answers 503 where the handlers behind it have not answered within `ms`: an honest error instead of a long wait. */
export function createAnswerLimit({ ms }: { ms: number }): RequestHandler {
  return (_request, response, next) => {
    const timer = setTimeout(() => {
      if (response.headersSent) return;
      overdue.add(response);
      next(new AnswerOverdue(`no answer within ${ms} ms`));
    }, ms);
    response.once("close", () => {
      clearTimeout(timer);
    });
    next();
  };
}
