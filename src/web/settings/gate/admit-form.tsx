import type { Request, RequestHandler, Response } from "express";
import { clearSiteData } from "#web/kit/security-headers.js";
import { sendPage } from "#web/kit/page.js";
import { readFormBody, type FormSize } from "#web/kit/body/form-body.js";
import { fileOfForm, type UploadedFile } from "#web/kit/body/uploaded-file.js";
import { readFields, type FormFields } from "#web/kit/form-fields.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { endSession } from "#domain/accounts/revoked-sessions.js";
import { leaveNotice } from "../frame/notices.js";
import { AdminsUnconfirmedPage, FormRefusedPage, ViewersOnlyLookPage } from "./gate-pages.js";
import { latestEndOf, type Session } from "../session/session.js";
import type { SettingsOptions } from "../session/site-options.js";
import { identifyVisit, type MemberVisit } from "../session/visit.js";

/**
 * Reads the body of a form, of those who have a session: nothing is read of a stranger.
 *
 * @param answerStranger what a stranger gets; by default the sign-in page, with a word of what happened
 */
export function formBody(
  options: SettingsOptions,
  size: FormSize,
  answerStranger = sendAway,
): RequestHandler[] {
  const admit: RequestHandler = (request, response, next) => {
    if (options.sessions.read(request) === undefined) answerStranger(options, response);
    else next();
  };
  return [admit, readFormBody(size)];
}

export function leaveSite({ sessions }: SettingsOptions, response: Response): void {
  sessions.close(response);
  clearSiteData(response);
  response.redirect(303, "/settings");
}

function sendAway({ cookies }: SettingsOptions, response: Response): void {
  leaveNotice({ cookies, sign: () => "" }, response, "signed-out");
  response.redirect(303, "/settings");
}

/** Lets an admin's form through. Answers by itself, and with undefined, if the form may not be acted on. */
export async function admitForm(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<MemberVisit | undefined> {
  const visit = await admitQuestion(options, request, response);
  if (visit?.role !== "viewer") return visit;
  sendPage(response, 403, <ViewersOnlyLookPage requestId={requestIdOf(response)} />);
  return undefined;
}

/** The same of a form that changes nothing, which a viewer may send, too. */
export async function admitQuestion(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<MemberVisit | undefined> {
  const visit = await identifyVisit(options, request);
  if (visit.kind === "stranger") {
    sendAway(options, response);
    return undefined;
  }
  if (!hasFormToken(options, request, visit.session)) {
    refuseForm(response);
    return undefined;
  }
  if (visit.kind !== "member") {
    response.redirect(303, "/settings");
    return undefined;
  }
  if (visit.userList.state !== "stale") return visit;
  // Whoever was an admin a day ago need not be one now. HubSpot is being asked.
  response.set("Retry-After", "30");
  sendPage(response, 503, <AdminsUnconfirmedPage requestId={requestIdOf(response)} />);
  return undefined;
}

/**
 * The same for a form with a file, whose other fields stand before it. What of the file nobody reads is dropped once the
 * answer is out: many browsers write all of it before they read.
 */
export async function admitUpload(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<{ visit: MemberVisit; form: FormFields; file: UploadedFile } | undefined> {
  response.once("finish", () => request.resume());
  if (options.sessions.read(request) === undefined) {
    sendAway(options, response);
    return undefined;
  }
  const file = await fileOfForm(request);
  request.body = Object.fromEntries(file.fields);
  const visit = await admitForm(options, request, response);
  return visit && { visit, form: readFields(request.body), file };
}

/** Whoever signs out leaves every account, also if the session of the one in use has ended already. */
export async function signOut(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await identifyVisit(options, request);
  const signedIn = options.sessions.readAll(request);
  const isTheirs = signedIn !== undefined && hasFormToken(options, request, signedIn.current);
  if (visit.kind !== "stranger" && !isTheirs) return refuseForm(response);
  if (isTheirs) for (const session of [signedIn.current, ...signedIn.others]) await end(options, session);
  leaveSite(options, response);
}

async function end({ database }: SettingsOptions, session: Session): Promise<void> {
  const { id, portalId, userId, userEmail } = session;
  const visitor = { kind: "visitor", portalId, userId, userEmail } as const;
  await endSession(database.pool, visitor, { id, endsAt: latestEndOf(session) });
}

export function refuseForm(response: Response): void {
  sendPage(response, 403, <FormRefusedPage requestId={requestIdOf(response)} />);
}

function hasFormToken({ sessions }: SettingsOptions, request: Request, session: Session): boolean {
  return sessions.isFormToken(session, readFields(request.body).text("form_token"));
}
