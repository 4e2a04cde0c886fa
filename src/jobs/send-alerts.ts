import type { Pool } from "pg";
import { claimDueAlerts, endAlert, noteFailedDelivery, type DueAlert } from "../alerts/outbox.js";
import type { WebhookPoster } from "../alerts/webhook-post.js";
import type { Logger } from "../observability/logger.js";
import { backoffMs } from "../queue/backoff.js";

export interface SendAlertsOptions {
  pool: Pool;
  poster: WebhookPoster;
  /** Origin of our settings page, for the link in the alert. */
  publicUrl: string;
  logger: Logger;
}

const BATCH = 20;
const CLAIM_SECONDS = 60;
/** About a day of tries. */
const MAX_TRIES = 12;
const RETRY = { baseMs: 5_000, capMs: 4 * 3_600_000 };

function payload(alert: DueAlert, publicUrl: string): Record<string, unknown> {
  return {
    kind: alert.kind,
    portalId: alert.portalId.toString(),
    message: alert.message,
    occurredAt: alert.createdAt.toISOString(),
    settingsUrl: `${publicUrl}/settings`,
  };
}

async function deliver(alert: DueAlert, options: SendAlertsOptions): Promise<void> {
  const { pool, poster, logger, publicUrl } = options;
  if (alert.webhookUrl === null) return endAlert(pool, alert, "NOT_WANTED");
  let problem: string;
  try {
    const status = await poster.post(alert.webhookUrl, payload(alert, publicUrl));
    if (status >= 200 && status < 300) return await endAlert(pool, alert, "SENT");
    problem = `The address answered with status ${status}.`;
  } catch (fault) {
    problem = describeFault(fault);
  }
  logger.warn(
    { portalId: alert.portalId, kind: alert.kind, tries: alert.tries, problem },
    "an alert could not be delivered",
  );
  const retryInMs = alert.tries >= MAX_TRIES ? undefined : backoffMs(alert.tries, RETRY);
  await noteFailedDelivery(pool, alert, { problem, retryInMs });
}

/** In an admin's words; `fetch` hides what happened in the cause of its "fetch failed". */
function describeFault(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  if (fault.name === "TimeoutError") return "The address did not answer in time.";
  const cause = (fault.cause ?? fault) as { code?: unknown; message?: unknown };
  if (typeof cause.code === "string") return `The address could not be reached (${cause.code}).`;
  return typeof cause.message === "string" ? cause.message : fault.message;
}

/** Posts the alerts that are due, each to its portal's webhook. */
export async function sendDueAlerts(options: SendAlertsOptions): Promise<void> {
  const due = await claimDueAlerts(options.pool, { limit: BATCH, claimSeconds: CLAIM_SECONDS });
  await Promise.all(due.map((alert) => deliver(alert, options)));
}
