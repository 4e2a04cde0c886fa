import { findWebhook } from "#domain/subscriptions/webhook.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { notFound, TAG, toShape, webhookParams, webhookShape, type WebhookTools } from "../shapes.js";

/** `GET /webhook-subscriptions/{id}` */
export function createReadWebhook({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/webhook-subscriptions/{id}",
    operationId: "getWebhookSubscription",
    tag: TAG,
    scope: "enrollments:read",
    summary: "Read a webhook subscription",
    params: webhookParams,
    answers: { 200: { description: "The subscription, without its secret.", schema: webhookShape } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params }) => {
      const webhook = await findWebhook(
        { database: database.pool, cipher },
        actor.portalId,
        BigInt(params.id),
      );
      return webhook === undefined ? notFound() : { status: 200, body: toShape(webhook) };
    },
  });
}
