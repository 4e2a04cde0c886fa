import { Router, urlencoded, type Request, type Response } from "express";
import { z } from "zod";
import type { Database } from "../db/client.js";
import type { Cookies } from "../http/cookies.js";
import { sendFragment, sendPage } from "../http/page.js";
import { requestIdOf } from "../http/request-id.js";
import { createAssetsRouter } from "./assets.js";
import { findDefaultSender, listSenderOptions, saveDefaultSender } from "./default-sender.js";
import { countLastDay, listExecutions, type ExecutionFilter } from "./execution-list.js";
import { leaveNotice, takeNotice, type NoticeName } from "./flash.js";
import { createFormat } from "./format.js";
import { isOutcome } from "./outcome.js";
import { Activity, ACTIVITY_PATH, type ActivityModel } from "./pages/activity.js";
import type { AppScopes } from "./pages/connection.js";
import { FormRefusedPage, ReconnectPage, SignInPage } from "./pages/gate-pages.js";
import { SettingsPage } from "./pages/settings-page.js";
import type { PortalOverview } from "./portal-overview.js";
import type { Sessions } from "./session.js";
import { identifyVisit, type Visit } from "./visit.js";

export interface SettingsOptions {
  database: Database;
  sessions: Sessions;
  cookies: Cookies;
  scopes: AppScopes;
  /** Origin of HubSpot's UI, for portals whose own host is not known yet. */
  appUrl: string;
  now: () => Date;
}

type AdminVisit = Extract<Visit, { kind: "admin" }>;

/**
 * The hosted settings site. Everything is read and written for the portal of the session, whatever a request names.
 *
 * | route | |
 * | --- | --- |
 * | GET / | to /settings |
 * | GET /settings | the page; sign-in (401) for a stranger, "connect again" for a disconnected portal |
 * | GET /settings/activity | its list alone, for htmx |
 * | POST /settings/default-sender, /settings/sign-out | forms with this session's token |
 */
export function createSettingsRouter(options: SettingsOptions): Router {
  const router = Router();
  const form = urlencoded({ extended: false, limit: "16kb" });
  router.use(createAssetsRouter());
  router.get("/", (_request, response) => response.redirect("/settings"));
  router.get("/settings", (request, response) => showSettings(options, request, response));
  router.get(ACTIVITY_PATH, (request, response) => showActivity(options, request, response));
  router.post("/settings/default-sender", form, (request, response) =>
    changeSender(options, request, response),
  );
  router.post("/settings/sign-out", form, (request, response) => signOut(options, request, response));
  return router;
}

async function showSettings(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await identifyVisit(options, request);
  if (visit.kind === "stranger") return sendPage(response, 401, <SignInPage />);
  const { session, portal } = visit;
  options.sessions.renew(response, session);
  const formToken = options.sessions.formToken(session);
  if (visit.kind === "disconnected") {
    return sendPage(response, 200, <ReconnectPage portal={portal} formToken={formToken} />);
  }
  const [current, senders, activity] = await Promise.all([
    findDefaultSender(options.database, portal.portalId),
    listSenderOptions(options.database, portal.portalId),
    readActivity(options, portal, request),
  ]);
  const notice = takeNotice(options.cookies, request, response);
  const sender = { current, options: senders, formToken };
  sendPage(
    response,
    200,
    <SettingsPage {...{ session, portal, scopes: options.scopes, notice, sender, activity }} />,
  );
}

/** Fetched by the page itself every few seconds, so it does not count as a person's presence: the session is not renewed. */
async function showActivity(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await identifyVisit(options, request);
  if (visit.kind !== "admin") {
    response.status(401).set({ "HX-Refresh": "true", "Cache-Control": "no-store" }).end();
    return;
  }
  const activity = await readActivity(options, visit.portal, request);
  sendFragment(response, <Activity {...activity} />);
}

async function readActivity(
  { database, appUrl, now }: SettingsOptions,
  portal: PortalOverview,
  request: Request,
): Promise<ActivityModel> {
  const { portalId } = portal;
  const filter = readFilter(request);
  const [page, counts] = await Promise.all([
    listExecutions(database, portalId, filter),
    countLastDay(database, portalId, now()),
  ]);
  const hubspotUrl =
    portal.uiDomain !== null && /^[\w.-]+$/.test(portal.uiDomain) ? `https://${portal.uiDomain}` : appUrl;
  return { portalId, hubspotUrl, filter, counts, page, format: createFormat(portal.timeZone) };
}

/** Values that make no sense are taken as not given. */
function readFilter({ query }: Request): ExecutionFilter {
  const { status, before } = query;
  return {
    outcome: isOutcome(status) ? status : undefined,
    before: typeof before === "string" && /^\d{1,18}$/.test(before) ? BigInt(before) : undefined,
  };
}

const senderForm = z.object({
  sender_user_id: z.string().regex(/^\d{0,18}$/),
  version: z.string().regex(/^\d{1,9}$/),
});

const NOTICE_BY_OUTCOME = {
  "unknown-sender": "sender-unknown",
  "changed-meanwhile": "settings-changed",
} as const;

async function changeSender(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const fields = senderForm.safeParse(request.body);
  if (!fields.success) return finishForm(options, response, "sender-unknown");
  const { sender_user_id: chosen, version } = fields.data;
  const userId = chosen === "" ? null : BigInt(chosen);
  const outcome = await saveDefaultSender(options.database, visit.session.portalId, {
    userId,
    version: Number(version),
  });
  if (outcome !== "saved") return finishForm(options, response, NOTICE_BY_OUTCOME[outcome]);
  finishForm(options, response, userId === null ? "sender-cleared" : "sender-saved");
}

/** Answers by itself, and with undefined, where the form may not be acted on. */
async function admitForm(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<AdminVisit | undefined> {
  const visit = await identifyVisit(options, request);
  if (visit.kind === "stranger") {
    response.redirect(303, "/settings");
    return undefined;
  }
  if (!hasFormToken(options, request, visit)) {
    sendPage(response, 403, <FormRefusedPage requestId={requestIdOf(response)} />);
    return undefined;
  }
  if (visit.kind === "admin") return visit;
  response.redirect(303, "/settings");
  return undefined;
}

function hasFormToken(
  { sessions }: SettingsOptions,
  request: Request,
  visit: Exclude<Visit, { kind: "stranger" }>,
): boolean {
  const body = request.body as Record<string, unknown> | undefined;
  return sessions.isFormToken(visit.session, body?.["form_token"]);
}

function finishForm({ cookies }: SettingsOptions, response: Response, notice: NoticeName): void {
  leaveNotice(cookies, response, notice);
  response.redirect(303, "/settings");
}

async function signOut(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await identifyVisit(options, request);
  if (visit.kind !== "stranger" && !hasFormToken(options, request, visit)) {
    return sendPage(response, 403, <FormRefusedPage requestId={requestIdOf(response)} />);
  }
  options.sessions.close(response);
  response.redirect(303, "/settings");
}
