import { z } from "zod";
import { DELIVERY_STATES, listDeliveries } from "#domain/subscriptions/deliveries.js";
import { findWebhook } from "#domain/subscriptions/webhook.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter, limitParameter, pageSchema } from "#web/api/kit/fields.js";
import {
  deliveryShape,
  notFound,
  TAG,
  toDeliveryShape,
  webhookParams,
  type WebhookTools,
} from "../../shapes.js";

const query = z.strictObject({
  limit: limitParameter(200, 50),
  after: idParameter.optional().describe("paging.next.after of the page before."),
  status: z.enum(DELIVERY_STATES).optional(),
});

/** `GET /webhook-subscriptions/{id}/deliveries` */
export function createListDeliveries({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/webhook-subscriptions/{id}/deliveries",
    operationId: "listWebhookDeliveries",
    tag: TAG,
    scope: "enrollments:read",
    summary: "List the deliveries of the last seven days",
    description: "The newest first, each with its last try.",
    params: webhookParams,
    query,
    answers: { 200: { description: "A page of deliveries.", schema: pageSchema(deliveryShape) } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor: { portalId }, database: { pool }, params, query: { limit, after, status } }) => {
      const webhookId = BigInt(params.id);
      if ((await findWebhook({ database: pool, cipher }, portalId, webhookId)) === undefined)
        return notFound();
      const beforeId = after === undefined ? undefined : BigInt(after);
      const found = await listDeliveries(pool, {
        portalId,
        webhookId,
        limit: limit + 1,
        beforeId,
        state: status,
      });
      const results = found.slice(0, limit).map(toDeliveryShape);
      const last = results.at(-1);
      const paging = found.length > limit && last !== undefined ? { next: { after: last.id } } : undefined;
      return { status: 200, body: { results, ...(paging && { paging }) } };
    },
  });
}
