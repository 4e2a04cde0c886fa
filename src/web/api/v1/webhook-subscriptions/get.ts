import { listWebhooks } from "#domain/subscriptions/webhook.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { pageSchema } from "#web/api/kit/fields.js";
import { TAG, toShape, webhookShape, type WebhookTools } from "./shapes.js";

/** `GET /webhook-subscriptions` */
export function createListWebhooks({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/webhook-subscriptions",
    operationId: "listWebhookSubscriptions",
    tag: TAG,
    scope: "enrollments:read",
    summary: "List the account's webhook subscriptions",
    answers: { 200: { description: "All of them, the oldest first.", schema: pageSchema(webhookShape) } },
    handle: async ({ actor, database }) => {
      const webhooks = await listWebhooks({ database: database.pool, cipher }, actor.portalId);
      return { status: 200, body: { results: webhooks.map(toShape) } };
    },
  });
}
