import type { Pool } from "pg";
import type { Mailer } from "../alerts/mailer.js";
import { readRecipients } from "../alerts/recipients.js";
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
  if (alert.address === null) return endAlert(pool, alert, { outcome: "NOT_WANTED" });
  const send = alert.channel === "EMAIL" ? mail : post;
  const { isSent, problem } = await send(alert, alert.address, options);
  if (isSent) return endAlert(pool, alert, { outcome: "SENT", problem });
  logger.warn(
    { portalId: alert.portalId, kind: alert.kind, channel: alert.channel, tries: alert.tries, problem },
    "an alert could not be delivered",
  );
  const retryInMs = alert.tries >= MAX_TRIES ? undefined : backoffMs(alert.tries, RETRY);
  await noteFailedDelivery(pool, alert, { problem, retryInMs });
}

/** How a delivery went, with what went wrong in an admin's words: one that was sent may have missed a recipient. */
type Delivery =
  | { readonly isSent: true; readonly problem?: string | undefined }
  | { readonly isSent: false; readonly problem: string };

async function post(
  alert: DueAlert,
  url: string,
  { poster, publicUrl }: SendAlertsOptions,
): Promise<Delivery> {
  try {
    const status = await poster.post(url, alertPayload(alert, publicUrl));
    if (status >= 200 && status < 300) return { isSent: true };
    return { isSent: false, problem: `The address answered with status ${status}.` };
  } catch (fault) {
    return { isSent: false, problem: describePostFault(fault) };
  }
}

async function mail(
  alert: DueAlert,
  addresses: string,
  { mailer, publicUrl }: SendAlertsOptions,
): Promise<Delivery> {
  if (mailer === undefined)
    return { isSent: false, problem: "The operator of this service has set no mail server." };
  try {
    const to = readRecipients(addresses);
    const { refused } = await mailer.send({ to, ...alertMail(alert, publicUrl) });
    if (refused.length === 0) return { isSent: true };
    return { isSent: true, problem: `The mail server did not take it for ${refused.join(", ")}.` };
  } catch (fault) {
    return { isSent: false, problem: describeMailFault(fault) };
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
