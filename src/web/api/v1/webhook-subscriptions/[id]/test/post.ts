import { sendTestWebhook } from "#domain/subscriptions/deliveries.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { answerRequested, deliveryShape, TAG, webhookParams, type WebhookTools } from "../../shapes.js";

/** `POST /webhook-subscriptions/{id}/test` */
export function createTestWebhook({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/webhook-subscriptions/{id}/test",
    operationId: "testWebhookSubscription",
    tag: TAG,
    scope: "enrollments:write",
    summary: "Send a test message",
    description: "Of the type webhook.test; it goes the way of all others.",
    params: webhookParams,
    answers: { 202: { description: "It is on its way.", schema: deliveryShape } },
    problems: ["NOT_FOUND", "CONFLICT"],
    handle: async ({ actor, database: { pool }, params }) =>
      answerRequested(await sendTestWebhook({ pool, cipher }, actor, BigInt(params.id))),
  });
}
