import type { PoolClient } from "pg";
import {
  findAlertSettings,
  saveAlertSettings,
  type AlertSettings,
  type StoredAlertSettings,
} from "#domain/alerts/alert-settings.js";
import type { AlertChannel } from "#domain/alerts/outbox.js";
import { requestConfirmationAgain, confirmNewcomers } from "#domain/alerts/confirmations.js";
import { readRecipients, recipientsProblem } from "#domain/alerts/recipients.js";
import { raiseTestAlert } from "#domain/alerts/test-alert.js";
import { renewSigningSecret } from "#domain/alerts/webhook-seals.js";
import { webhookUrlProblem } from "#domain/alerts/webhook-post.js";
import { inTransaction } from "#platform/db/transaction.js";
import { sendAlerts } from "./alerts-view.js";
import { describeChanges } from "../words/changes.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { AlertEntry } from "./alerts-page.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { SessionIdentity } from "#domain/contract/session-identity.js";
import type { FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { submitVersioned } from "../frame/versioned-form.js";
import type { Problems } from "../frame/problems.js";

/** `POST /settings/alerts`: what cannot be saved comes back as it was typed. */
export async function changeAlerts(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const entry = readEntry(form);
  await submitVersioned(exchange, {
    entry,
    parsed: parseEntry(entry, options),
    save: async (draft, version) => {
      const waiting = await save(options, visit.session, { ...draft, version });
      if (waiting === undefined) return "changed-meanwhile";
      return { notice: waiting === 0 ? "alerts-saved" : "alerts-saved-unconfirmed" };
    },
    find: () => findSettings(options, visit.session),
    compare: (stored, draft) => describeChanges(inFull(stored), inFull(draft), NO_NAMES),
    show: (state) => sendAlerts(exchange, { form: state }),
  });
}

function findSettings({ database, cipher }: SettingsOptions, { portalId }: SessionIdentity) {
  return findAlertSettings({ database: database.pool, cipher }, portalId);
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

function parseEntry(
  entry: AlertEntry,
  options: SettingsOptions,
): { draft: AlertSettings } | { problems: Problems } {
  const problems = problemsOf(entry, options);
  return Object.keys(problems).length > 0 ? { problems } : { draft: toSettings(entry) };
}

/** By field, in the order of the form. */
function problemsOf(entry: AlertEntry, { privateDestinations }: SettingsOptions): Problems {
  const webhook =
    entry.webhook_url === "" ? undefined : webhookUrlProblem(entry.webhook_url, privateDestinations);
  const email = recipientsProblem(entry.email);
  const isCount = isWhole(entry.failure_count, 1_000_000);
  const isShare = isWhole(entry.failure_percent, 100);
  return {
    ...(email === undefined ? {} : { email }),
    ...(webhook === undefined ? {} : { webhook_url: webhook }),
    ...(isCount ? {} : { failure_count: "Enter a whole number from 1 to 1,000,000, or leave it empty." }),
    ...(isShare ? {} : { failure_percent: "Enter a whole number from 1 to 100, or leave it empty." }),
  };
}

function isWhole(text: string, most: number): boolean {
  return text === "" || (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= most);
}

function toSettings(entry: AlertEntry): AlertSettings {
  const number = (text: string) => (text === "" ? null : Number(text));
  return {
    webhookUrl: entry.webhook_url === "" ? null : entry.webhook_url,
    email: readRecipients(entry.email).join(", ") || null,
    failureCount: number(entry.failure_count),
    failurePercent: number(entry.failure_percent),
  };
}

/** @returns how many of the addresses have not confirmed; undefined if somebody else saved meanwhile. */
async function save(
  { database, cipher }: SettingsOptions,
  by: SessionIdentity,
  settings: StoredAlertSettings,
): Promise<number | undefined> {
  const { portalId } = by;
  return inTransaction(database.pool, async (client) => {
    const saved = await findAlertSettings({ database: client, cipher }, portalId);
    if (!(await saveAlertSettings({ database: client, cipher }, portalId, settings))) return undefined;
    const [before, after] = [noted(saved), noted(settings)];
    await recordChange(client, {
      by,
      subject: "alerts",
      subjectName: "Alerts",
      action: "CHANGED",
      before,
      after,
    });
    return confirmNewcomers(client, {
      portalId,
      before: saved.email,
      after: settings.email,
      ownAddress: by.userEmail,
    });
  });
}

/** Of a webhook's address the host alone: what comes after it is as good as a password at most receivers. */
function noted(settings: AlertSettings) {
  const { webhookUrl } = settings;
  return { ...inFull(settings), alertWebhookUrl: webhookUrl === null ? null : new URL(webhookUrl).host };
}

/** For those who have the addresses before them anyway. */
function inFull({ webhookUrl, email, failureCount, failurePercent }: AlertSettings) {
  return {
    alertWebhookUrl: webhookUrl,
    alertEmail: email,
    alertFailureCount: failureCount,
    alertFailurePercent: failurePercent,
  };
}

/** POST /settings/alerts/ask-again: one more mail with the link to an address that has not confirmed. */
export async function askToConfirm(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { session: by } = visit;
  const address = form.text("address");
  const verdict = await inTransaction(options.database.pool, async (client) => {
    const asked = await requestConfirmationAgain(client, by.portalId, address);
    if (asked === "asked") {
      const after = { alertEmail: address };
      await recordChange(client, {
        by,
        subject: "alerts",
        subjectName: "Address for alerts",
        action: "ASKED_TO_CONFIRM",
        after,
      });
    }
    return asked;
  });
  finishForm(exchange, `confirmation-${verdict}`);
}

/** POST /settings/alerts/secret: the answer shows the new secret, and no page does again. */
export async function renewSecret(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  const { session } = visit;
  const { webhookUrl } = await findSettings(options, session);
  if (webhookUrl === null) return finishForm(exchange, "test-without-address");
  const secret = await inTransaction(options.database.pool, async (client) => {
    await recordChange(client, {
      by: session,
      subject: "alerts",
      subjectName: "Signing secret of the webhook",
      action: "RENEWED",
    });
    return renewSigningSecret(client, options.cipher, session.portalId);
  });
  await sendAlerts(exchange, { secret });
}

const TEST_MESSAGE =
  "This is a test from the settings pages of Sequence Enroller. Real alerts arrive the same way; there is nothing to do.";

/** Goes through the outbox like every alert: where it arrives, they all do. */
export async function sendTestAlert(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { session: by } = visit;
  const channel: AlertChannel = form.text("channel") === "EMAIL" ? "EMAIL" : "WEBHOOK";
  const { email, webhookUrl } = await findSettings(options, by);
  if ((channel === "EMAIL" ? email : webhookUrl) === null)
    return finishForm(exchange, "test-without-address");
  const subjectName = channel === "EMAIL" ? "Test mail" : "Test alert";
  const record = (client: PoolClient) =>
    recordChange(client, { by, subject: "alerts", subjectName, action: "SENT" });
  const verdict = await raiseTestAlert(options.database.pool, by.portalId, {
    channel,
    message: TEST_MESSAGE,
    record,
  });
  finishForm(exchange, `test-${verdict}`);
}
