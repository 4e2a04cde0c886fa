import { removeWebhook } from "#domain/subscriptions/change-webhooks.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { notFound, TAG, webhookParams, type WebhookTools } from "../shapes.js";

/** `DELETE /webhook-subscriptions/{id}` */
export function createRemoveWebhook({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "delete",
    path: "/webhook-subscriptions/{id}",
    operationId: "deleteWebhookSubscription",
    tag: TAG,
    scope: "enrollments:write",
    summary: "End a webhook subscription",
    description: "What is not delivered yet is not sent anymore; its deliveries are deleted.",
    params: webhookParams,
    answers: { 204: { description: "It is gone." } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params }) => {
      const id = BigInt(params.id);
      const outcome = await removeWebhook({ cipher, pool: database.pool }, actor, { id });
      return outcome === "removed" ? { status: 204 } : notFound();
    },
  });
}
