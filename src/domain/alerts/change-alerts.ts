import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { destinationProblem } from "#platform/outbound/destination.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import {
  findAlertSettings,
  saveAlertSettings,
  type AlertSettings,
  type StoredAlertSettings,
} from "./alert-settings.js";
import { requestConfirmationAgain, confirmNewcomers, type ConfirmationRequest } from "./confirmations.js";
import { recipientsProblem } from "./recipients.js";
import { ALERT_NAMES } from "./words.js";
import { storeNewSecret, type TextCipher } from "./webhook-seals.js";

/** Where alerts are set up, and what they may be sent to. */
export interface AlertsSetup {
  readonly pool: Pool;
  readonly cipher: TextCipher;
}

const MOST_FAILURES = 1_000_000;

/** A sentence for each setting that cannot be saved. */
export type AlertProblems = Readonly<Partial<Record<keyof AlertSettings, string>>>;

/**
 * @param privateDestinations each `host:port` in the operator's own network that alerts may be posted to, even by http.
 */
export function alertProblems(
  settings: AlertSettings,
  privateDestinations: ReadonlySet<string>,
): AlertProblems {
  const { webhookUrl, email, failureCount, failurePercent } = settings;
  const webhook = webhookUrl === null ? undefined : destinationProblem(webhookUrl, privateDestinations);
  const address = recipientsProblem(email ?? "");
  return {
    ...(webhook === undefined ? {} : { webhookUrl: webhook }),
    ...(address === undefined ? {} : { email: address }),
    ...(isWhole(failureCount, MOST_FAILURES)
      ? {}
      : { failureCount: "Enter a whole number from 1 to 1,000,000, or leave it empty." }),
    ...(isWhole(failurePercent, 100)
      ? {}
      : { failurePercent: "Enter a whole number from 1 to 100, or leave it empty." }),
  };
}

const isWhole = (given: number | null, most: number): boolean =>
  given === null || (Number.isInteger(given) && given >= 1 && given <= most);

export type ChangeAlertsOutcome =
  | { readonly kind: "saved"; /** Addresses that have not confirmed. */ readonly waiting: number }
  | { readonly kind: "invalid"; readonly problems: AlertProblems }
  | { readonly kind: "changed-meanwhile" }; // someone else saved since `version` was read: nothing is changed

/** Saves where alerts go, and when failures are worth one; asks addresses that are new on the list whether they want them. */
export async function changeAlerts(
  { pool, cipher, privateDestinations }: AlertsSetup & { privateDestinations: ReadonlySet<string> },
  actor: Actor,
  given: AlertSettings & Pick<StoredAlertSettings, "version">,
): Promise<ChangeAlertsOutcome> {
  requireRight(actor, "changeAlerts");
  const problems = alertProblems(given, privateDestinations);
  if (Object.keys(problems).length > 0) return { kind: "invalid", problems };
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const saved = await findAlertSettings({ database: client, cipher }, portalId);
    const settings = { ...given, offKinds: given.offKinds ?? saved.offKinds };
    if (!(await saveAlertSettings({ database: client, cipher }, portalId, settings)))
      return { kind: "changed-meanwhile" };
    await recordChange(client, actor, {
      subject: "alerts",
      subjectName: "Alerts",
      action: "CHANGED",
      ...noted(saved, settings),
    });
    const waiting = await confirmNewcomers(client, {
      portalId,
      before: saved.email,
      after: settings.email,
      ownAddress: actor.kind === "admin" ? actor.userEmail : null,
    });
    return { kind: "saved", waiting };
  });
}

/**
 * Only the host of a webhook's address: with most receivers, what follows it is as good as a password. That it was
 * replaced is still noted.
 */
function noted(saved: AlertSettings, settings: AlertSettings) {
  const [before, after] = [alertsSnapshot(saved), alertsSnapshot(settings)];
  const host = (url: string | null) => (url === null ? null : new URL(url).host);
  const [oldHost, newHost] = [host(saved.webhookUrl), host(settings.webhookUrl)];
  const isOtherPath = oldHost === newHost && saved.webhookUrl !== settings.webhookUrl;
  return {
    before: { ...before, alertWebhookUrl: oldHost, ...(isOtherPath ? { alertWebhookPath: null } : {}) },
    after: { ...after, alertWebhookUrl: newHost, ...(isOtherPath ? { alertWebhookPath: "replaced" } : {}) },
  };
}

/** The settings as they are compared, for those who have the addresses before them anyway. */
export function alertsSnapshot(settings: AlertSettings) {
  const { webhookUrl, email, failureCount, failurePercent, digest, offKinds } = settings;
  return {
    alertWebhookUrl: webhookUrl,
    alertEmail: email,
    alertFailureCount: failureCount,
    alertFailurePercent: failurePercent,
    alertDigest: digest,
    ...(offKinds && { alertOffKinds: offKinds.map((kind) => ALERT_NAMES[kind]) }),
  };
}

/** One more mail with the link to an address that has not confirmed. */
export async function askToConfirm(pool: Pool, actor: Actor, address: string): Promise<ConfirmationRequest> {
  requireRight(actor, "askToConfirm");
  return inTransaction(pool, async (client) => {
    const verdict = await requestConfirmationAgain(client, actor.portalId, address);
    if (verdict === "asked")
      await recordChange(client, actor, {
        subject: "alerts",
        subjectName: "Address for alerts",
        action: "ASKED_TO_CONFIRM",
        after: { alertEmail: address },
      });
    return verdict;
  });
}

/**
 * Makes a new secret: whatever is posted from now on is signed only with it.
 *
 * @returns the secret, to be shown this once; undefined if alerts are posted nowhere.
 */
export async function renewSecret({ pool, cipher }: AlertsSetup, actor: Actor): Promise<string | undefined> {
  requireRight(actor, "renewSecret");
  return inTransaction(pool, async (client: PoolClient) => {
    const { webhookUrl } = await findAlertSettings({ database: client, cipher }, actor.portalId);
    if (webhookUrl === null) return undefined;
    await recordChange(client, actor, {
      subject: "alerts",
      subjectName: "Signing secret of the webhook",
      action: "RENEWED",
    });
    return storeNewSecret(client, cipher, actor.portalId);
  });
}
