import { findAlertSettings, type AlertSettings } from "#domain/alerts/alert-settings.js";
import {
  alertsSnapshot,
  askToConfirm as askForConfirmation,
  changeAlerts as saveAlerts,
  renewSecret as makeNewSecret,
  type AlertProblems,
} from "#domain/alerts/change-alerts.js";
import type { AlertChannel } from "#domain/alerts/outbox.js";
import { readRecipients } from "#domain/alerts/recipients.js";
import { sendTestAlert as sendTest } from "#domain/alerts/test-alert.js";
import { sendAlerts } from "./alerts-view.js";
import { describeChanges } from "../words/changes.js";
import type { AlertEntry } from "./alerts-page.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { SettingsOptions } from "../session/site-options.js";
import { actorOf } from "../session/visit.js";
import type { FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { submitVersioned } from "../frame/versioned-form.js";
import type { Problems } from "../frame/problems.js";

/** `POST /settings/alerts`: what cannot be saved comes back as it was typed. */
export async function changeAlerts(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const entry = readEntry(form);
  const setup = setupOf(options);
  await submitVersioned(exchange, {
    entry,
    parsed: { draft: toSettings(entry) },
    save: async (draft, version) => {
      const outcome = await saveAlerts(setup, actorOf(visit), { ...draft, version });
      if (outcome.kind === "invalid") return { problems: byField(outcome.problems) };
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

function readEntry(form: FormFields): AlertEntry {
  return {
    webhook_url: form.text("webhook_url"),
    email: form.text("email"),
    failure_count: form.text("failure_count"),
    failure_percent: form.text("failure_percent"),
  };
}

function toSettings(entry: AlertEntry): AlertSettings {
  return {
    webhookUrl: entry.webhook_url === "" ? null : entry.webhook_url,
    email: readRecipients(entry.email).join(", ") || null,
    failureCount: toNumber(entry.failure_count),
    failurePercent: toNumber(entry.failure_percent),
  };
}

/** What is no number at all is none that can be saved. */
function toNumber(text: string): number | null {
  if (text === "") return null;
  return /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
}

/** By field, in the order of the form. */
function byField({ email, webhookUrl, failureCount, failurePercent }: AlertProblems): Problems {
  const problems = {
    email,
    webhook_url: webhookUrl,
    failure_count: failureCount,
    failure_percent: failurePercent,
  };
  return Object.fromEntries(
    Object.entries(problems).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** POST /settings/alerts/ask-again: one more mail with the link to an address that has not confirmed. */
export async function askToConfirm(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const verdict = await askForConfirmation(options.database.pool, actorOf(visit), form.text("address"));
  finishForm(exchange, `confirmation-${verdict}`);
}

/** POST /settings/alerts/secret: the answer shows the new secret, and no page does again. */
export async function renewSecret(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  const secret = await makeNewSecret(setupOf(options), actorOf(visit));
  if (secret === undefined) return finishForm(exchange, "test-without-address");
  await sendAlerts(exchange, { secret });
}

/** POST /settings/alerts/test. Goes through the outbox like every alert: if it arrives, they all do. */
export async function sendTestAlert(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const channel: AlertChannel = form.text("channel") === "EMAIL" ? "EMAIL" : "WEBHOOK";
  const verdict = await sendTest(setupOf(options), actorOf(visit), channel);
  finishForm(exchange, `test-${verdict}`);
}
