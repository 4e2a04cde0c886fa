import type { Request, Response } from "express";
import { sendPage } from "#web/kit/page.js";
import { readBacklog } from "#domain/accounts/backlog.js";
import { createFormat } from "../words/format.js";
import { takeNotice } from "../frame/notices.js";
import { PAGE_ACCOUNT_HEADER } from "../frame/navigation.js";
import { NotAdmittedPage, ReconnectPage, SignInPage } from "./gate-pages.js";
import { listAdministrators } from "#domain/accounts/rights.js";
import type { SettingsOptions } from "../session/site-options.js";
import { identifyVisit, type MemberVisit, type Visit } from "../session/visit.js";

/**
 * Lets an admin or a viewer of a connected portal in, and starts their idle time again. Everybody else gets the page that says what
 * to do, and the caller undefined.
 */
export async function admitPage(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<MemberVisit | undefined> {
  const visit = await identifyVisit(options, request);
  if (visit.kind === "stranger") {
    const notice = takeNotice({ cookies: options.cookies, sign: () => "" }, request, response);
    sendPage(response, 401, <SignInPage notice={notice?.text} />);
    return undefined;
  }
  options.sessions.renew(request, response);
  switch (visit.kind) {
    case "member":
      return visit;
    case "disconnected":
      await sendReconnect(options, visit, response);
      return undefined;
    case "not-admitted":
      await sendNotAdmitted(options, visit, response);
      return undefined;
  }
}

async function sendReconnect(
  { database, sessions, now }: SettingsOptions,
  { portal, session }: Extract<Visit, { kind: "disconnected" }>,
  response: Response,
): Promise<void> {
  const backlog = await readBacklog(database, portal.portalId);
  const format = createFormat(portal.timeZone, now());
  const formToken = sessions.formToken(session);
  sendPage(
    response,
    200,
    <ReconnectPage portal={portal} backlog={backlog} format={format} formToken={formToken} />,
  );
}

async function sendNotAdmitted(
  { database, sessions }: SettingsOptions,
  { portal, session }: Extract<Visit, { kind: "not-admitted" }>,
  response: Response,
): Promise<void> {
  const administrators = await listAdministrators(database.pool, portal.portalId);
  const formToken = sessions.formToken(session);
  const email = session.userEmail;
  sendPage(
    response,
    403,
    <NotAdmittedPage portal={portal} email={email} administrators={administrators} formToken={formToken} />,
  );
}

/**
 * The same for parts that a page fetches by itself every few seconds. They do not count as a person's presence: the
 * session is not renewed. If it has ended, the portal was disconnected, or the browser went on with another account, the whole
 * page is loaded again: a part of one account never shows on a page of another.
 */
export async function admitPart(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<MemberVisit | undefined> {
  const visit = await identifyVisit(options, request);
  if (visit.kind === "member" && isOfPage(request, visit)) return visit;
  response.status(401).set({ "HX-Refresh": "true", "Cache-Control": "no-store" }).end();
  return undefined;
}

/** Pages name their account with each part they fetch (frame/shell.tsx). */
function isOfPage(request: Request, { portal }: MemberVisit): boolean {
  const named = request.get(PAGE_ACCOUNT_HEADER);
  return named === undefined || named === portal.portalId.toString();
}
