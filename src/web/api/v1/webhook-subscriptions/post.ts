import { z } from "zod";
import { addWebhook, MOST_WEBHOOKS } from "#domain/subscriptions/change-webhooks.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { refusal } from "#web/api/kit/problem.js";
import { draftFields, invalid, TAG, toShape, webhookWithSecret, type WebhookTools } from "./shapes.js";

const body = z.strictObject({ ...draftFields, description: draftFields.description.default("") });

/** `POST /webhook-subscriptions` */
export function createAddWebhook(tools: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/webhook-subscriptions",
    operationId: "createWebhookSubscription",
    tag: TAG,
    scope: "enrollments:write",
    summary: "Subscribe an address to events",
    description: `Messages are signed as the Standard Webhooks say, with the secret that this answer shows once. An account has ${MOST_WEBHOOKS} subscriptions at most.`,
    body,
    answers: { 201: { description: "Subscribed from now on.", schema: webhookWithSecret } },
    problems: ["CONFLICT"],
    handle: async ({ actor, database, body: draft }) => {
      const outcome = await addWebhook({ ...tools, pool: database.pool }, actor, draft);
      if (outcome.kind === "invalid") return invalid(outcome.problems);
      if (outcome.kind === "too-many")
        return refusal("CONFLICT", {
          detail: `The account has ${MOST_WEBHOOKS} subscriptions, the maximum.`,
        });
      const { webhook, secret } = outcome;
      return {
        status: 201,
        headers: { Location: `/api/v1/webhook-subscriptions/${webhook.id}` },
        body: toShape(webhook),
        shownOnce: { secret },
      };
    },
  });
}
