import type { Pool } from "pg";
import type { Mailer } from "../alerts/mailer.js";
import { claimDueAlerts, endAlert, noteFailedDelivery, type DueAlert } from "../alerts/outbox.js";
import { alertMail, alertPayload } from "../alerts/words.js";
import type { WebhookPoster } from "../alerts/webhook-post.js";
import type { Logger } from "../observability/logger.js";
import { backoffMs } from "../queue/backoff.js";

export interface SendAlertsOptions {
  pool: Pool;
  poster: WebhookPoster;
  /** Undefined where the operator has set no mail server. */
  mailer: Mailer | undefined;
  /** Origin of our settings pages, for the link in the alert. */
  publicUrl: string;
  logger: Logger;
}

const BATCH = 20;
const CLAIM_SECONDS = 60;
/** About a day of tries. */
const MAX_TRIES = 12;
const RETRY = { baseMs: 5_000, capMs: 4 * 3_600_000 };

async function deliver(alert: DueAlert, options: SendAlertsOptions): Promise<void> {
  const { pool, logger } = options;
  if (alert.address === null) return endAlert(pool, alert, "NOT_WANTED");
  const send = alert.channel === "EMAIL" ? mail : post;
  const problem = await send(alert, alert.address, options);
  if (problem === undefined) return endAlert(pool, alert, "SENT");
  logger.warn(
    { portalId: alert.portalId, kind: alert.kind, channel: alert.channel, tries: alert.tries, problem },
    "an alert could not be delivered",
  );
  const retryInMs = alert.tries >= MAX_TRIES ? undefined : backoffMs(alert.tries, RETRY);
  await noteFailedDelivery(pool, alert, { problem, retryInMs });
}

/** Both senders answer with undefined, or with why it failed in an admin's words. */
async function post(
  alert: DueAlert,
  url: string,
  { poster, publicUrl }: SendAlertsOptions,
): Promise<string | undefined> {
  try {
    const status = await poster.post(url, alertPayload(alert, publicUrl));
    return status >= 200 && status < 300 ? undefined : `The address answered with status ${status}.`;
  } catch (fault) {
    return describePostFault(fault);
  }
}

async function mail(
  alert: DueAlert,
  to: string,
  { mailer, publicUrl }: SendAlertsOptions,
): Promise<string | undefined> {
  if (mailer === undefined) return "The operator of this service has set no mail server.";
  try {
    await mailer.send({ to, ...alertMail(alert, publicUrl) });
    return undefined;
  } catch (fault) {
    return describeMailFault(fault);
  }
}

/** `fetch` hides what happened in the cause of its "fetch failed". */
function describePostFault(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if (fault.name === "TimeoutError") return "The address did not answer in time.";
  const cause = (fault.cause ?? fault) as { code?: unknown; message?: unknown };
  if (typeof cause.code === "string") return `The address could not be reached (${cause.code}).`;
  return typeof cause.message === "string" ? cause.message : fault.message;
}

/** A server's refusal is quoted: it tells a wrong address from a full mailbox. Anything else is the operator's to look at. */
function describeMailFault(fault: unknown): string {
  const { responseCode, response, code } = (typeof fault === "object" && fault !== null ? fault : {}) as {
    responseCode?: unknown;
    response?: unknown;
    code?: unknown;
  };
  if (code === "EAUTH") return "The mail server does not accept this service's sign-in.";
  if (typeof responseCode === "number" && typeof response === "string")
    return `The mail server refused it: ${response}`;
  return `The mail server could not be reached${typeof code === "string" ? ` (${code})` : ""}.`;
}

/** Delivers the alerts that are due, each to its portal's address. */
export async function sendDueAlerts(options: SendAlertsOptions): Promise<void> {
  const due = await claimDueAlerts(options.pool, { limit: BATCH, claimSeconds: CLAIM_SECONDS });
  await Promise.all(due.map((alert) => deliver(alert, options)));
}
