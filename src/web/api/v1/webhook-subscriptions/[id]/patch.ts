import { z } from "zod";
import { changeWebhook } from "#domain/subscriptions/change-webhooks.js";
import { WEBHOOK_STATUSES } from "#domain/subscriptions/webhook.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import {
  draftFields,
  invalid,
  notFound,
  TAG,
  toShape,
  webhookParams,
  webhookShape,
  type WebhookTools,
} from "../shapes.js";

const body = z.strictObject({ ...draftFields, status: z.enum(WEBHOOK_STATUSES) }).partial();

/** `PATCH /webhook-subscriptions/{id}` */
export function createChangeWebhook(tools: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "patch",
    path: "/webhook-subscriptions/{id}",
    operationId: "updateWebhookSubscription",
    tag: TAG,
    scope: "enrollments:write",
    summary: "Change a webhook subscription, or switch it off or on",
    description: "What is left out stays. Switching it off gives up what is not delivered yet.",
    params: webhookParams,
    body,
    answers: { 200: { description: "The subscription as it is now.", schema: webhookShape } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params, body: given }) => {
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const outcome = await changeWebhook({ ...tools, pool: database.pool }, actor, {
        ...changes,
        id: BigInt(params.id),
      });
      if (outcome.kind === "invalid") return invalid(outcome.problems);
      if (outcome.kind !== "changed") return notFound();
      return { status: 200, body: toShape(outcome.webhook) };
    },
  });
}
