import type { Request, RequestHandler, Response } from "express";
import { endOf, type AccountShare } from "#web/kit/account-share.js";
import { sendProblem } from "#web/kit/error-handler.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { Handler } from "./form-answers.js";

/** Seconds after which a browser, or whoever asks by program, may ask again. */
const ASK_AGAIN_S = 5;

/** Makes routes of handlers. */
export interface Answers {
  /** A page, a part of one or a form. */
  readonly page: (handler: Handler) => RequestHandler;
  /** A file: one of the account at a time. */
  readonly file: (handler: Handler) => RequestHandler;
}

/**
 * Handlers read the database for as long as somebody waits for the answer, and one account's take turns (account-share.ts).
 * Whoever is refused for that gets 429. A stranger's requests read next to nothing, and are not counted.
 */
export function answersOf(options: SettingsOptions): Answers {
  const by = (share: AccountShare) => (handler: Handler) => inTurn(options, share, handler);
  return { page: by(options.shares.pages), file: by(options.shares.files) };
}

function inTurn(options: SettingsOptions, share: AccountShare, handler: Handler): RequestHandler {
  return async (request: Request, response: Response) => {
    const signal = endOf(response);
    const own = { ...options, database: options.database.until(signal) };
    const session = options.sessions.read(request);
    if (session === undefined) return handler(own, request, response);
    const leave = await share.enter(session.portalId, signal);
    if (leave === undefined) return refuse(request, response);
    try {
      await handler(own, request, response);
    } finally {
      leave();
    }
  };
}

function refuse(request: Request, response: Response): void {
  if (response.closed || response.headersSent) return;
  response.set("Retry-After", String(ASK_AGAIN_S));
  sendProblem(request, response, { status: 429, code: "TOO_MANY_REQUESTS" });
}
