import type { RequestHandler } from "express";
import type { ContactChange } from "#domain/contacts/contact-change.js";
import { requestIdOf } from "#web/kit/request-id.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { STORE_TIMEOUT_MS, withinAnswerTime } from "./answer-time.js";
import { readDelivery } from "./contact-events.js";
import { bodyBytes } from "./read-body.js";

export const WEBHOOK_ROUTE = "/hubspot/webhooks";

/** HubSpot puts at most this many events into a delivery. */
const USUAL_EVENTS = 100;
/** HubSpot waits five seconds for the answer to a webhook. */
const LONGEST_ANSWER_MS = 4_000;

/** A delivery that is larger than any of HubSpot's gets as much time as if it had come in several: up to what HubSpot waits. */
function answerTimeMs(events: number): number {
  return Math.min(LONGEST_ANSWER_MS, STORE_TIMEOUT_MS * Math.max(1, Math.ceil(events / USUAL_EVENTS)));
}

export interface WebhookOptions {
  /** Applies the changes; resolves with the portals that have new work. */
  applyChanges: (changes: readonly ContactChange[]) => Promise<ReadonlySet<PortalId>>;
  /** Must not throw. */
  wake: (portalId: PortalId) => void;
  logger: Logger;
}

/**
 * `POST /hubspot/webhooks`: stores what a delivery says about contacts and answers 200; HubSpot repeats a delivery that
 * got a 503.
 */
export function receiveWebhook({ applyChanges, wake, logger }: WebhookOptions): RequestHandler {
  return async (request, response) => {
    const delivery = readDelivery(bodyBytes(request));
    if (delivery === undefined) {
      response.status(400).json({ code: "BODY_UNREADABLE", requestId: requestIdOf(response) });
      return;
    }
    const { changes, unreadable } = delivery;
    // Only counted: their content may be about a person.
    if (unreadable > 0)
      logger.warn({ unreadable }, "events of a webhook could not be read and were left out");
    try {
      const portals = await withinAnswerTime(applyChanges(changes), answerTimeMs(changes.length));
      portals.forEach(wake);
      response.status(200).end();
    } catch (error) {
      logger.error({ err: error }, "a webhook could not be stored; HubSpot will send it again");
      response.status(503).json({ code: "STORAGE_UNAVAILABLE", requestId: requestIdOf(response) });
    }
  };
}
