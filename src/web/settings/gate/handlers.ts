import type { Request, RequestHandler, Response } from "express";
import { endOf, type AccountShare } from "#web/kit/account-share.js";
import { sendProblem } from "#web/kit/error-handler.js";
import { readFields } from "#web/kit/form-fields.js";
import type { FormSize } from "#web/kit/body/form-body.js";
import type { FormHandler, Handler, UploadHandler } from "../frame/exchange.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { MemberVisit } from "../session/visit.js";
import { showAccounts, switchAccount } from "./accounts.js";
import { admitForm, admitQuestion, admitUpload, formBody, leaveSite, signOut } from "./admit-form.js";
import { admitPage, admitPart } from "./admit-page.js";
import { reconnect } from "./reconnect.js";

/** Seconds after which a browser, or whoever asks by program, may ask again. */
const ASK_AGAIN_S = 5;

/** Most forms: a few fields. */
const SHORT_FORM: FormSize = { maxBytes: 16 * 1024, maxFields: 1_000 };

/** Makes routes of handlers, which only ever see an admin or, but for forms, a viewer: everybody else is answered here. */
export interface Handlers {
  readonly page: (handler: Handler) => RequestHandler;
  /** A part that a page fetches by itself. */
  readonly part: (handler: Handler) => RequestHandler;
  /** A file: one of the account at a time. */
  readonly file: (handler: Handler) => RequestHandler;
  /** A form: its body is read, and its token checked. */
  readonly form: (handler: FormHandler) => RequestHandler[];
  /** A form that only asks something: viewers may send it, too. */
  readonly question: (handler: FormHandler) => RequestHandler[];
  /** A form with a file, in turn with the files that the account takes. Nothing of the file is read but by the handler. */
  readonly upload: (handler: UploadHandler) => RequestHandler;
  /** The form that says "sign out". */
  readonly signOut: () => RequestHandler[];
  /** To HubSpot's consent page, to connect the account again. */
  readonly reconnect: () => RequestHandler;
  /** The accounts that the browser is signed in to, and the form that goes on with another. */
  readonly accounts: { readonly page: RequestHandler; readonly form: RequestHandler[] };
}

/**
 * Handlers read the database for as long as somebody waits for the answer, and one account's take turns (account-share.ts).
 * Whoever is refused for that gets 429. A stranger's requests read next to nothing, and are not counted.
 *
 * @param size how large the forms may be
 */
export function handlersOf(options: SettingsOptions, size = SHORT_FORM): Handlers {
  const { pages, files } = options.shares;
  const admitted = (share: AccountShare, admit: Admit, handler: Handler) =>
    inTurn(options, share, async (own, request, response) => {
      const visit = await admit(own, request, response);
      if (visit !== undefined) await handler({ options: own, visit, request, response });
    });
  const posted = (admit: Admit, handler: FormHandler) => [
    ...formBody(options, size),
    admitted(pages, admit, (exchange) => handler({ ...exchange, form: readFields(exchange.request.body) })),
  ];
  return {
    page: (handler) => admitted(pages, admitPage, handler),
    part: (handler) => admitted(pages, admitPart, handler),
    file: (handler) => admitted(files, admitPage, handler),
    form: (handler) => posted(admitForm, handler),
    question: (handler) => posted(admitQuestion, handler),
    upload: (handler) =>
      inTurn(options, files, async (own, request, response) => {
        const admitted = await admitUpload(own, request, response);
        if (admitted !== undefined) await handler({ options: own, ...admitted, request, response });
      }),
    // A stranger has nothing to lose by it.
    signOut: () => [...formBody(options, SHORT_FORM, leaveSite), inTurn(options, pages, signOut)],
    reconnect: () => inTurn(options, pages, reconnect),
    accounts: {
      page: inTurn(options, pages, showAccounts),
      form: [...formBody(options, SHORT_FORM), inTurn(options, pages, switchAccount)],
    },
  };
}

type Answer<Result> = (options: SettingsOptions, request: Request, response: Response) => Promise<Result>;

/** Answers by itself, and with undefined, whoever is not let in. */
type Admit = Answer<MemberVisit | undefined>;

function inTurn(options: SettingsOptions, share: AccountShare, answer: Answer<void>): RequestHandler {
  return async (request, response) => {
    const signal = endOf(response);
    const own = { ...options, database: options.database.until(signal) };
    const session = options.sessions.read(request);
    if (session === undefined) return answer(own, request, response);
    const leave = await share.enter(session.portalId, signal);
    if (leave === undefined) return refuse(request, response);
    try {
      await answer(own, request, response);
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
