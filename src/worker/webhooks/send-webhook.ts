import type { Pool } from "pg";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import { endWebhookTry, type DueWebhook, type WebhookTry } from "#domain/subscriptions/send-queue.js";
import { switchOff } from "#domain/subscriptions/switch-off.js";
import { openSecret, openUrl } from "#domain/subscriptions/webhook.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { describePostFault, type Poster } from "#platform/outbound/post.js";
import { signatureHeaders } from "#platform/outbound/sign.js";
import { AppError } from "../../errors.js";
import { retryDelayMs } from "./retry-delays.js";

/** An answer counts only if it comes within this time. */
const WEBHOOK_TIMEOUT_MS = 15_000;
/** "Gone": with this answer a receiver asks us to stop sending. */
const GONE = 410;

/** What sending needs. */
export interface SendWebhookTools {
  readonly pool: Pool;
  readonly cipher: TextCipher;
  readonly poster: Poster;
  readonly logger: Logger;
  /** An enrollment as the API shows it; undefined if it was deleted. */
  readonly readEnrollment: (portalId: PortalId, id: ExecutionId) => Promise<unknown>;
  /** Called for every try that ended. Must not throw. */
  readonly onTried?: (isTaken: boolean) => void;
}

/** Sends a claimed message once, and stores what happened to it. */
export async function sendWebhook(due: DueWebhook, tools: SendWebhookTools): Promise<void> {
  const { pool, cipher, logger } = tools;
  const { portalId, webhookId, messageId, tries } = due;
  const data = due.executionId === null ? due.data : await tools.readEnrollment(portalId, due.executionId);
  if (data === undefined)
    return endWebhookTry(pool, due, { durationMs: 0, problem: "The enrollment was deleted." });
  const end = await postOnce(due, data, tools);
  tools.onTried?.(end.problem === undefined);
  await endWebhookTry(pool, due, end);
  if (end.problem === undefined) return;
  logger.info({ portalId, webhookId, messageId, tries, problem: end.problem }, "a webhook was not taken");
  const reason = end.httpStatus === GONE ? "GONE" : "FAILING";
  if (await switchOff({ pool, cipher }, { portalId, id: webhookId }, reason))
    logger.warn({ portalId, webhookId, reason }, "a webhook was switched off");
}

async function postOnce(due: DueWebhook, data: unknown, tools: SendWebhookTools): Promise<WebhookTry> {
  const { cipher, poster } = tools;
  const begunMs = performance.now();
  const durationMs = () => Math.round(performance.now() - begunMs);
  try {
    const url = openUrl(cipher, due.portalId, due.urlSealed);
    const secrets = due.secretsSealed.map((sealed) => openSecret(cipher, due.portalId, sealed));
    const body = JSON.stringify({ type: due.type, timestamp: due.createdAt.toISOString(), data });
    const headers = signatureHeaders({ id: due.messageId, body, secrets, now: new Date() });
    const { status, text, askedMs } = await poster.post({
      url,
      body,
      headers,
      timeoutMs: WEBHOOK_TIMEOUT_MS,
    });
    const answered = { durationMs: durationMs(), httpStatus: status, answer: text };
    if (status >= 200 && status < 300) return answered;
    const problem = `Your webhook returned ${status}.`;
    const retryInMs = status === GONE ? undefined : retryDelayMs(due.tries, askedMs);
    return { ...answered, problem, retryInMs };
  } catch (error) {
    return { durationMs: durationMs(), problem: describe(error), retryInMs: retryDelayMs(due.tries) };
  }
}

function describe(fault: unknown): string {
  if (fault instanceof AppError)
    return "The stored address or secret could not be read. Save the address and make a new secret.";
  return describePostFault(fault);
}
