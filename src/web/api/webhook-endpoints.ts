import type { AnyEndpoint } from "#web/api/kit/endpoint.js";
import { createChangeWebhook } from "./v1/webhook-subscriptions/[id]/patch.js";
import { createListDeliveries } from "./v1/webhook-subscriptions/[id]/deliveries/get.js";
import { createReadWebhook } from "./v1/webhook-subscriptions/[id]/get.js";
import { createRedeliver } from "./v1/webhook-subscriptions/[id]/deliveries/[deliveryId]/redeliver/post.js";
import { createRemoveWebhook } from "./v1/webhook-subscriptions/[id]/delete.js";
import { createRotateSecret } from "./v1/webhook-subscriptions/[id]/rotate-secret/post.js";
import { createTestWebhook } from "./v1/webhook-subscriptions/[id]/test/post.js";
import { createListWebhooks } from "./v1/webhook-subscriptions/get.js";
import { createAddWebhook } from "./v1/webhook-subscriptions/post.js";
import type { WebhookTools } from "./v1/webhook-subscriptions/shapes.js";

/** All endpoints below `/webhook-subscriptions`. */
export function createWebhookEndpoints(tools: WebhookTools): AnyEndpoint[] {
  return [
    createListWebhooks(tools),
    createAddWebhook(tools),
    createReadWebhook(tools),
    createChangeWebhook(tools),
    createRemoveWebhook(tools),
    createListDeliveries(tools),
    createRedeliver(tools),
    createTestWebhook(tools),
    createRotateSecret(tools),
  ];
}
