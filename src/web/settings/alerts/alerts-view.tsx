import { findAlertSettings } from "#domain/alerts/alert-settings.js";
import { listRecipients } from "#domain/alerts/confirmations.js";
import { findLastAlert } from "#domain/alerts/last-alert.js";
import { listRecentAlerts } from "#domain/alerts/recent-alerts.js";
import type { AlertChannel } from "#domain/alerts/outbox.js";
import { sendFragment, sendPage } from "#web/kit/page.js";
import { createFormat } from "../words/format.js";
import { alertEntryOf, AlertsPage, type AlertEntry } from "./alerts-page.js";
import { LastAlertLine, type LastAlertModel } from "./last-alert.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { statusOf } from "../frame/form-answers.js";
import { frameOf } from "../frame/shell.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { Exchange } from "../frame/exchange.js";
import type { FormState } from "../frame/versioned-form.js";

/** GET /settings/alerts */
export async function showAlerts(exchange: Exchange): Promise<void> {
  await sendAlerts(exchange);
}

export interface AlertsAnswer {
  /** Undefined if the form shows what is saved. */
  form?: FormState<AlertEntry>;
  /** The signing secret just made, to be shown this once. */
  secret?: string;
}

/** Sends the page; with `form`, as an answer to a form that cannot be saved. */
export async function sendAlerts(exchange: Exchange, { form, secret }: AlertsAnswer = {}): Promise<void> {
  const { options, visit, response } = exchange;
  const { portal } = visit;
  const [[saved, recipients], recent, mail, webhook] = await Promise.all([
    readSaved(options, portal.portalId),
    listRecentAlerts(options.database.pool, portal.portalId),
    readLast(options, portal, "EMAIL"),
    readLast(options, portal, "WEBHOOK"),
  ]);
  const model = {
    frame: frameOf(exchange),
    form: form ?? { entry: alertEntryOf(saved), version: saved.version, problems: {} },
    saved,
    recipients,
    recent,
    secret,
    canMail: options.canMail,
    last: { EMAIL: mail, WEBHOOK: webhook },
  };
  sendPage(response, statusOf(model.form), <AlertsPage {...model} />);
}

async function readSaved({ database: { pool }, cipher }: SettingsOptions, portalId: bigint) {
  const saved = await findAlertSettings({ database: pool, cipher }, portalId);
  return [saved, await listRecipients(pool, portalId, saved.email)] as const;
}

/** GET /settings/alerts/last?channel=…: the line that renews itself while an alert is on its way. */
export async function showLastAlert(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
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
