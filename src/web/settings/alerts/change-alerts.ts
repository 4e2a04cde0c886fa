import type { Request, Response } from "express";
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
import type { AlertEntry, AlertField } from "./alerts-page.js";
import { readForm, type FormBody } from "../frame/form-body.js";
import type { SettingsOptions } from "../session/site-options.js";
import { admitForm, finishForm } from "../gate/admit-form.js";
import type { SessionIdentity } from "#domain/contract/session-identity.js";

/** What cannot be saved gets the page back (422) with what was typed and the reason at the field. */
export async function changeAlerts(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const form = readForm(request);
  const version = form.version();
  if (version < 0) return finishForm(options, response, "alerts-changed");
  const typed = toTyped(form);
  const problems = problemsOf(typed, options);
  if (Object.keys(problems).length > 0) {
    const entry: AlertEntry = { typed, problems, version };
    return sendAlerts(options, visit, { request, response, entry });
  }
  const settings = { ...toSettings(typed), version };
  const waiting = await save(options, visit.session, settings);
  if (waiting !== undefined)
    return finishForm(options, response, waiting === 0 ? "alerts-saved" : "alerts-saved-unconfirmed");
  const saved = await findAlertSettings(
    { database: options.database.pool, cipher: options.cipher },
    visit.session.portalId,
  );
  const conflict = describeChanges(inFull(saved), inFull(settings), NO_NAMES);
  const entry: AlertEntry = { typed, problems: {}, version: saved.version, conflict };
  await sendAlerts(options, visit, { request, response, entry });
}

const NO_NAMES = { people: new Map(), rotations: new Map() };

type Typed = Readonly<Record<AlertField, string>>;

function toTyped(form: FormBody): Typed {
  return {
    webhook_url: form.text("webhook_url"),
    email: form.text("email"),
    failure_count: form.text("failure_count"),
    failure_percent: form.text("failure_percent"),
  };
}

function problemsOf(
  typed: Typed,
  { privateDestinations }: SettingsOptions,
): Partial<Record<AlertField, string>> {
  const webhook =
    typed.webhook_url === "" ? undefined : webhookUrlProblem(typed.webhook_url, privateDestinations);
  const email = recipientsProblem(typed.email);
  const isCount = isWhole(typed.failure_count, 1_000_000);
  const isShare = isWhole(typed.failure_percent, 100);
  return {
    ...(webhook === undefined ? {} : { webhook_url: webhook }),
    ...(email === undefined ? {} : { email }),
    ...(isCount ? {} : { failure_count: "Enter a whole number from 1 to 1,000,000, or leave it empty." }),
    ...(isShare ? {} : { failure_percent: "Enter a whole number from 1 to 100, or leave it empty." }),
  };
}

function isWhole(typed: string, most: number): boolean {
  return typed === "" || (/^\d{1,7}$/.test(typed) && Number(typed) >= 1 && Number(typed) <= most);
}

function toSettings(typed: Typed): AlertSettings {
  const number = (text: string) => (text === "" ? null : Number(text));
  return {
    webhookUrl: typed.webhook_url === "" ? null : typed.webhook_url,
    email: readRecipients(typed.email).join(", ") || null,
    failureCount: number(typed.failure_count),
    failurePercent: number(typed.failure_percent),
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
      ...{ portalId, before: saved.email, after: settings.email, ownAddress: by.userEmail },
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
export async function askToConfirm(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { session: by } = visit;
  const address = readForm(request).text("address");
  const verdict = await inTransaction(options.database.pool, async (client) => {
    const asked = await requestConfirmationAgain(client, by.portalId, address);
    if (asked === "asked") {
      const after = { alertEmail: address };
      await recordChange(client, {
        ...{ by, subject: "alerts", subjectName: "Address for alerts", action: "ASKED_TO_CONFIRM", after },
      });
    }
    return asked;
  });
  finishForm(options, response, `confirmation-${verdict}`);
}

/** POST /settings/alerts/secret: the answer shows the new secret, and no page does again. */
export async function renewSecret(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { pool } = options.database;
  const { session } = visit;
  const { webhookUrl } = await findAlertSettings(
    { database: pool, cipher: options.cipher },
    session.portalId,
  );
  if (webhookUrl === null) return finishForm(options, response, "test-without-address");
  const secret = await inTransaction(pool, async (client) => {
    await recordChange(client, {
      ...{ by: session, subject: "alerts", subjectName: "Signing secret of the webhook", action: "RENEWED" },
    });
    return renewSigningSecret(client, options.cipher, session.portalId);
  });
  await sendAlerts(options, visit, { request, response, secret });
}

const TEST_MESSAGE =
  "This is a test from the settings pages of Sequence Enroller. Real alerts arrive the same way; there is nothing to do.";

/** Goes through the outbox like every alert: where it arrives, they all do. */
export async function sendTestAlert(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { pool } = options.database;
  const { session: by } = visit;
  const { portalId } = by;
  const channel: AlertChannel = readForm(request).text("channel") === "EMAIL" ? "EMAIL" : "WEBHOOK";
  const { email, webhookUrl } = await findAlertSettings({ database: pool, cipher: options.cipher }, portalId);
  if ((channel === "EMAIL" ? email : webhookUrl) === null)
    return finishForm(options, response, "test-without-address");
  const subjectName = channel === "EMAIL" ? "Test mail" : "Test alert";
  const record = (client: PoolClient) =>
    recordChange(client, { by, subject: "alerts", subjectName, action: "SENT" });
  const verdict = await raiseTestAlert(pool, portalId, { channel, message: TEST_MESSAGE, record });
  finishForm(options, response, `test-${verdict}`);
}
