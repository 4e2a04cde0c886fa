import { sendPart } from "../session/view-only.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { findAlertSettings } from "#domain/alerts/alert-settings.js";
import { alertsSnapshot, askToConfirm, changeAlerts, renewSecret } from "#domain/alerts/change-alerts.js";
import { listRecipients } from "#domain/alerts/confirmations.js";
import { findLastAlert } from "#domain/alerts/last-alert.js";
import type { AlertChannel } from "#domain/alerts/outbox/alert.js";
import { listRecentAlerts } from "#domain/alerts/recent-alerts.js";
import { sendTestAlert } from "#domain/alerts/test-alert.js";
import { sendPage } from "#web/kit/page.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm, statusOf } from "../frame/form-answers.js";
import { frameOf } from "../frame/shell.js";
import { submitVersioned, type FormState } from "../frame/versioned-form.js";
import type { SettingsOptions } from "../session/site-options.js";
import { actorOf } from "../session/visit.js";
import { describeChanges } from "../words/changes.js";
import { createFormat } from "../words/format.js";
import {
  alertEntryOf,
  alertProblemsByField,
  readAlertEntry,
  toAlertSettings,
  type AlertEntry,
} from "./alerts-entry.js";
import { AlertsPage } from "./alerts-page.js";
import { LastAlertLine, type LastAlertModel } from "./last-alert.js";

/** `GET /settings/alerts` */
export async function showAlerts(exchange: Exchange): Promise<void> {
  await sendAlerts(exchange);
}

interface AlertsAnswer {
  /** Undefined if the form shows what is saved. */
  form?: FormState<AlertEntry>;
  /** The signing secret just made, to be shown this once. */
  secret?: string;
}

/** Sends the page; with `form`, as an answer to a form that cannot be saved. */
async function sendAlerts(exchange: Exchange, { form, secret }: AlertsAnswer = {}): Promise<void> {
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

async function readSaved({ database: { pool }, cipher }: SettingsOptions, portalId: PortalId) {
  const saved = await findAlertSettings({ database: pool, cipher }, portalId);
  return [saved, await listRecipients(pool, portalId, saved.email)] as const;
}

/** `GET /settings/alerts/last?channel=…`: the line that renews itself while an alert is on its way. */
export async function showLastAlert(exchange: Exchange): Promise<void> {
  const { options, visit, request } = exchange;
  const channel = request.query["channel"] === "EMAIL" ? "EMAIL" : "WEBHOOK";
  sendPart(exchange, <LastAlertLine {...await readLast(options, visit.portal, channel)} />);
}

async function readLast(
  { database, cipher, now }: SettingsOptions,
  { portalId, timeZone }: PortalOverview,
  channel: AlertChannel,
): Promise<LastAlertModel> {
  const alert = await findLastAlert(database.pool, portalId, channel);
  const { email, webhookUrl } = await findAlertSettings({ database: database.pool, cipher }, portalId);
  const hasAddress = (channel === "EMAIL" ? email : webhookUrl) !== null;
  return { alert, channel, format: createFormat(timeZone, now()), now: now(), hasAddress };
}

/** `POST /settings/alerts`: what cannot be saved comes back as it was typed. */
export async function submitAlerts(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const entry = readAlertEntry(form);
  const setup = setupOf(options);
  await submitVersioned(exchange, {
    entry,
    parsed: { draft: toAlertSettings(entry) },
    save: async (draft, version) => {
      const outcome = await changeAlerts(setup, actorOf(visit), { ...draft, version });
      if (outcome.kind === "invalid") return { problems: alertProblemsByField(outcome.problems) };
      if (outcome.kind === "changed-meanwhile") return outcome.kind;
      return { notice: outcome.waiting === 0 ? "alerts-saved" : "alerts-saved-unconfirmed" };
    },
    find: () => findAlertSettings({ database: setup.pool, cipher: setup.cipher }, visit.session.portalId),
    compare: (stored, draft) => describeChanges(alertsSnapshot(stored), alertsSnapshot(draft), NO_NAMES),
    show: (state) => sendAlerts(exchange, { form: state }),
  });
}

function setupOf({ database: { pool }, cipher, privateDestinations }: SettingsOptions) {
  return { pool, cipher, privateDestinations };
}

const NO_NAMES = { people: new Map(), rotations: new Map() };

/** `POST /settings/alerts/ask-again`: one more mail with the link to an address that has not confirmed. */
export async function submitConfirmation(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const verdict = await askToConfirm(options.database.pool, actorOf(visit), form.text("address"));
  finishForm(exchange, `confirmation-${verdict}`);
}

/** `POST /settings/alerts/secret`: the answer shows the new secret, and no page does again. */
export async function submitNewSecret(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  const secret = await renewSecret(setupOf(options), actorOf(visit));
  if (secret === undefined) return finishForm(exchange, "test-without-address");
  await sendAlerts(exchange, { secret });
}

/** `POST /settings/alerts/test`. Goes through the outbox like every alert: if it arrives, they all do. */
export async function submitTestAlert(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const channel: AlertChannel = form.text("channel") === "EMAIL" ? "EMAIL" : "WEBHOOK";
  const verdict = await sendTestAlert(setupOf(options), actorOf(visit), channel);
  finishForm(exchange, `test-${verdict}`);
}
