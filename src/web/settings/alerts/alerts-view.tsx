import type { Request, Response } from "express";
import { findAlertSettings } from "#domain/alerts/alert-settings.js";
import { listRecipients } from "#domain/alerts/confirmations.js";
import { findLastAlert } from "#domain/alerts/last-alert.js";
import { listRecentAlerts } from "#domain/alerts/recent-alerts.js";
import type { AlertChannel } from "#domain/alerts/outbox.js";
import { sendFragment, sendPage } from "#web/kit/page.js";
import { admitPage, admitPart } from "../gate/admit-page.js";
import { createFormat } from "../words/format.js";
import { AlertsPage, type AlertEntry } from "./alerts-page.js";
import { LastAlertLine, type LastAlertModel } from "./last-alert.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { statusOf } from "../frame/form-answers.js";
import { frameOf } from "../frame/shell.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";

/** GET /settings/alerts */
export async function showAlerts(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit !== undefined) await sendAlerts(options, visit, { request, response });
}

export interface AlertsAnswer {
  request: Request;
  response: Response;
  entry?: AlertEntry;
  /** The signing secret just made, to be shown this once. */
  secret?: string;
}

/** Sends the page; with `entry`, as an answer to a form that cannot be saved. */
export async function sendAlerts(
  options: SettingsOptions,
  visit: AdminVisit,
  { request, response, entry, secret }: AlertsAnswer,
): Promise<void> {
  const { portal } = visit;
  const [[saved, recipients], recent, mail, webhook] = await Promise.all([
    readSaved(options, portal.portalId),
    listRecentAlerts(options.database.pool, portal.portalId),
    readLast(options, portal, "EMAIL"),
    readLast(options, portal, "WEBHOOK"),
  ]);
  const model = {
    ...{ saved, recipients, recent, entry, secret, canMail: options.canMail },
    frame: frameOf(options, visit, { request, response }),
    last: { EMAIL: mail, WEBHOOK: webhook },
  };
  const status = statusOf({ problems: entry?.problems ?? {}, conflict: entry?.conflict });
  sendPage(response, status, <AlertsPage {...model} />);
}

async function readSaved({ database: { pool }, cipher }: SettingsOptions, portalId: bigint) {
  const saved = await findAlertSettings({ database: pool, cipher }, portalId);
  return [saved, await listRecipients(pool, portalId, saved.email)] as const;
}

/** GET /settings/alerts/last?channel=…: the line that renews itself while an alert is on its way. */
export async function showLastAlert(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPart(options, request, response);
  if (visit === undefined) return;
  const channel = request.query["channel"] === "EMAIL" ? "EMAIL" : "WEBHOOK";
  sendFragment(response, <LastAlertLine {...await readLast(options, visit.portal, channel)} />);
}

async function readLast(
  { database }: SettingsOptions,
  { portalId, timeZone }: PortalOverview,
  channel: AlertChannel,
): Promise<LastAlertModel> {
  const alert = await findLastAlert(database.pool, portalId, channel);
  return { alert, channel, format: createFormat(timeZone) };
}
