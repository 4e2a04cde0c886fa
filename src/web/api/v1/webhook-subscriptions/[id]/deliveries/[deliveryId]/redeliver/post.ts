import { redeliver } from "#domain/subscriptions/deliveries.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import {
  answerRequested,
  deliveryParams,
  deliveryShape,
  TAG,
  type WebhookTools,
} from "../../../../shapes.js";

/** `POST /webhook-subscriptions/{id}/deliveries/{deliveryId}/redeliver` */
export function createRedeliver({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/webhook-subscriptions/{id}/deliveries/{deliveryId}/redeliver",
    operationId: "redeliverWebhook",
    tag: TAG,
    scope: "enrollments:write",
    summary: "Deliver a message again",
    description: "Under the same webhook-id. Not while it is still being delivered.",
    params: deliveryParams,
    answers: { 202: { description: "It is on its way.", schema: deliveryShape } },
    problems: ["NOT_FOUND", "CONFLICT"],
    handle: async ({ actor, database: { pool }, params }) =>
      answerRequested(
        await redeliver({ pool, cipher }, actor, {
          webhookId: BigInt(params.id),
          deliveryId: BigInt(params.deliveryId),
        }),
      ),
  });
}
