import { OLD_SECRET_HOURS, rotateWebhookSecret } from "#domain/subscriptions/change-webhooks.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { notFound, TAG, toShape, webhookParams, webhookWithSecret, type WebhookTools } from "../../shapes.js";

/** `POST /webhook-subscriptions/{id}/rotate-secret` */
export function createRotateSecret({ cipher }: WebhookTools): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/webhook-subscriptions/{id}/rotate-secret",
    operationId: "rotateWebhookSecret",
    tag: TAG,
    scope: "enrollments:write",
    summary: "Make a new signing secret",
    description: `For ${OLD_SECRET_HOURS} hours messages are signed with the old one, too.`,
    params: webhookParams,
    answers: { 200: { description: "The subscription, with the new secret.", schema: webhookWithSecret } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database: { pool }, params }) => {
      const rotated = await rotateWebhookSecret({ pool, cipher }, actor, BigInt(params.id));
      if (rotated === undefined) return notFound();
      return { status: 200, body: toShape(rotated.webhook), shownOnce: { secret: rotated.secret } };
    },
  });
}
