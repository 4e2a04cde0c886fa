import type { Request, Response } from "express";
import type { PoolClient } from "pg";
import { sendPage } from "#web/kit/page.js";
import { withDeadline } from "#platform/time/request-deadline.js";
import { admitPage } from "../gate/admit-page.js";
import { recordChange } from "#domain/audit/record-change.js";
import { admitForm, finishForm } from "../gate/admit-form.js";
import { createFormat } from "../words/format.js";
import { DangerPage } from "./danger-page.js";
import { readDangerState, requestErasure, setPaused } from "#domain/accounts/portal-pause.js";
import { frameOf } from "../frame/shell.js";
import { readBacklog } from "#domain/accounts/backlog.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";

/** GET /settings/danger */
export async function showDanger(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portalId, timeZone } = visit.portal;
  const [state, backlog] = await Promise.all([
    readDangerState(options.database.pool, portalId),
    readBacklog(options.database, portalId),
  ]);
  const frame = frameOf(options, visit, { request, response });
  const format = createFormat(timeZone);
  sendPage(response, 200, <DangerPage {...{ frame, state, backlog, format }} />);
}

/** POST /settings/danger/pause */
export async function pause(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  await setPaused(options.database.pool, visit.session, true);
  finishForm(options, response, "portal-paused");
}

/** POST /settings/danger/resume */
export async function resume(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  await setPaused(options.database.pool, visit.session, false);
  finishForm(options, response, "portal-resumed");
}

/** POST /settings/danger/erase */
export async function erase(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  if (!isConfirmed(request, visit)) return finishForm(options, response, "danger-not-confirmed");
  await requestErasure(options.database.pool, visit.session);
  finishForm(options, response, "history-erased");
}

/**
 * POST /settings/danger/disconnect. Our access is erased whatever HubSpot says, or whether it says anything; but not the
 * access that a new install gave while HubSpot was being told.
 */
export async function disconnect(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  if (!isConfirmed(request, visit)) return finishForm(options, response, "danger-not-confirmed");
  const { session } = visit;
  const { portalId } = session;
  const grant = await options.vault.currentGrant(portalId);
  if (grant === undefined) return response.redirect(303, "/settings");
  const isUninstalled = (await options.uninstall(portalId)) === "uninstalled";
  const record = (client: PoolClient) =>
    recordChange(client, {
      ...{ by: session, subject: "portal", subjectName: "Connection", action: "DISCONNECTED" },
      after: { uninstalledInHubSpot: isUninstalled },
    });
  // HubSpot has been told: it is forgotten here, too, even if whoever asked is not waiting any more.
  const isErased = await withDeadline(undefined, () =>
    options.vault.disconnect(portalId, reasonOf(session, isUninstalled), {
      ...{ grant, record, isByAdmin: true },
      // What HubSpot removed with the app is dead already.
      revokes: !isUninstalled,
    }),
  );
  if (!isErased) return finishForm(options, response, "connected-meanwhile");
  response.redirect(303, "/settings");
}

function reasonOf({ userEmail }: AdminVisit["session"], isUninstalled: boolean): string {
  const reason = `${userEmail ?? "An admin"} disconnected the account on the settings pages.`;
  if (isUninstalled) return reason;
  return `${reason} HubSpot could not be told: also remove the app there, in Settings under Connected apps.`;
}

function isConfirmed(request: Request, { portal }: AdminVisit): boolean {
  const typed = (request.body as Record<string, unknown> | undefined)?.["confirmation"];
  return typeof typed === "string" && typed.trim() === portal.portalId.toString();
}
