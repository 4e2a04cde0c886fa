import type { Pool } from "pg";
import { deliverMail, mailProblem } from "#domain/alerts/deliver-mail.js";
import type { Mailer } from "#domain/alerts/mailer.js";
import type { AlertOutcome } from "#domain/alerts/outbox/alert.js";
import { claimDueAlerts, endTry, type DueAlert } from "#domain/alerts/outbox/due-alerts.js";
import { openWebhookUrl, signingSecret, type TextCipher } from "#domain/alerts/webhook-seals.js";
import { webhookBody } from "#domain/alerts/webhook-formats.js";
import { affectedLine, readAffected } from "#domain/history/attention/affected-contacts.js";
import { AppError } from "../../errors.js";
import type { Logger } from "#platform/observability/logger.js";
import { describePostFault, type Poster } from "#platform/outbound/post.js";
import { signatureHeaders } from "#platform/outbound/sign.js";
import { backoffMs } from "#platform/queue/backoff.js";
import { eachPortal } from "./each-portal.js";

export interface SendAlertsOptions {
  pool: Pool;
  poster: Poster;
  /** Undefined if the operator has configured no mail server. */
  mailer: Mailer | undefined;
  /** Opens the sealed addresses of webhooks, and the secrets their posts are signed with. */
  cipher: TextCipher;
  /** Origin of our settings pages, for the link in the alert. */
  publicUrl: string;
  logger: Logger;
}

const BATCH = 20;
const POST_TIMEOUT_MS = 10_000;
/** Longer than one mail or one post takes. A mail's claim is renewed with each of its addresses. */
const CLAIM_SECONDS = 240;
/** About a day of tries. */
const MAX_TRIES = 12;
const RETRY = { baseMs: 5_000, capMs: 4 * 3_600_000 };
/** "Gone": with this answer a receiver asks us to stop trying. */
const GONE = 410;

/** The result of a try: which addresses are done, and whether any is to be tried again. */
interface Delivery {
  /** The outcome if this was the last try. */
  readonly outcome: Exclude<AlertOutcome, "NOT_WANTED">;
  readonly isDue: boolean;
  /** Which addresses it missed and why, in an admin's words. */
  readonly problem?: string | undefined;
  /** How long the receiver asked us to wait. */
  readonly askedMs?: number | undefined;
}

async function deliver(due: DueAlert, options: SendAlertsOptions): Promise<void> {
  const { pool, logger } = options;
  const { portalId, kind, channel, tries } = due;
  if (due.address === null && due.sealedAddress === null)
    return endTry(pool, due, { outcome: due.reached.length > 0 ? "SENT" : "NOT_WANTED" });
  const alert = kind === "SENDER_REFUSED" ? await withAffected(pool, due) : due;
  const delivery = await (channel === "EMAIL" ? mail(alert, options) : post(alert, options));
  if (delivery === undefined) return;
  const { outcome, isDue, problem, askedMs = 0 } = delivery;
  if (problem !== undefined)
    logger.warn({ portalId, kind, channel, tries, problem }, "an alert did not reach every address");
  if (!isDue || tries >= MAX_TRIES) return endTry(pool, alert, { outcome, problem });
  const retryInMs = Math.max(askedMs, backoffMs(tries, RETRY));
  await endTry(pool, alert, { retryInMs, problem: problem ?? "" });
}

/** The alert with how many contacts it has concerned by now. */
async function withAffected(pool: Pool, alert: DueAlert): Promise<DueAlert> {
  const line = affectedLine(await readAffected(pool, alert.portalId, alert.createdAt));
  return line === undefined ? alert : { ...alert, message: `${alert.message}\n${line}` };
}

async function post(alert: DueAlert, options: SendAlertsOptions): Promise<Delivery> {
  const { pool, cipher, poster, publicUrl } = options;
  const { portalId, id, sealedAddress } = alert;
  try {
    const url = sealedAddress === null ? alert.address : openWebhookUrl(cipher, portalId, sealedAddress);
    const body = JSON.stringify(webhookBody(alert, { url: url ?? "", publicUrl }));
    const secret = await signingSecret(pool, cipher, portalId);
    const headers = signatureHeaders({
      id: `alert_${portalId}_${id}`,
      body,
      secrets: [secret],
      now: new Date(),
    });
    const { status, askedMs } = await poster.post({
      url: url ?? "",
      body,
      headers,
      timeoutMs: POST_TIMEOUT_MS,
    });
    if (status >= 200 && status < 300) return { outcome: "SENT", isDue: false };
    const problem = `Your webhook returned ${status}.`;
    return { outcome: "FAILED", isDue: status !== GONE, problem, askedMs };
  } catch (error) {
    return { outcome: "FAILED", isDue: true, problem: describeFault(error) };
  }
}

/** Undefined if another process has taken the alert over. */
async function mail(alert: DueAlert, options: SendAlertsOptions): Promise<Delivery | undefined> {
  const mailed = await deliverMail(alert, { ...options, claimSeconds: CLAIM_SECONDS });
  if (mailed === undefined) return undefined;
  const { reached, refused, due, optedOut, unconfirmed } = mailed;
  const isComplete = refused.size + due.size + optedOut.length + unconfirmed.length === 0;
  return {
    outcome: reached.length === 0 ? "FAILED" : isComplete ? "SENT" : "PARTLY_SENT",
    isDue: due.size > 0,
    problem: mailProblem(mailed),
  };
}

function describeFault(fault: unknown): string {
  if (fault instanceof AppError)
    return "The stored address or secret could not be read. Save the address again.";
  return describePostFault(fault);
}

/** Delivers due alerts, each to its portal's address: all claimed ones at once, because their claims expire at once. */
export async function sendDueAlerts(options: SendAlertsOptions): Promise<void> {
  const due = await claimDueAlerts(options.pool, { limit: BATCH, claimSeconds: CLAIM_SECONDS });
  const what = "what became of an alert could not be noted";
  await eachPortal(due, { logger: options.logger, what, atOnce: BATCH }, (alert) => deliver(alert, options));
}
