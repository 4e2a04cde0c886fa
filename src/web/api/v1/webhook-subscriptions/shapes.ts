import { z } from "zod";
import type { RequestedDelivery, ListedDelivery } from "#domain/subscriptions/deliveries.js";
import { DELIVERY_STATES } from "#domain/subscriptions/deliveries.js";
import type { WebhooksSetup } from "#domain/subscriptions/change-webhooks.js";
import { LONGEST_DESCRIPTION, type WebhookProblems } from "#domain/subscriptions/webhook-draft.js";
import { WEBHOOK_EVENTS } from "#domain/subscriptions/events.js";
import { WEBHOOK_STATUSES, type Webhook } from "#domain/subscriptions/webhook.js";
import type { Answer } from "#web/api/kit/endpoint.js";
import { idParameter, timeField } from "#web/api/kit/fields.js";
import { refusal, type RefusedRequest } from "#web/api/kit/problem.js";

/** What the endpoints need besides the database of the call. */
export type WebhookTools = Omit<WebhooksSetup, "pool">;

export const TAG = "Webhooks";

export const webhookParams = z.object({ id: idParameter });
export const deliveryParams = z.object({ id: idParameter, deliveryId: idParameter });

export const draftFields = {
  url: z.string().min(1).max(2_000).describe("An https address. No address of the operator's own network."),
  events: z.array(z.enum(WEBHOOK_EVENTS)).min(1).max(20),
  description: z.string().max(LONGEST_DESCRIPTION),
};

export const webhookShape = z.object({
  id: z.string(),
  url: z
    .string()
    .nullable()
    .describe("Null: the stored address cannot be read. Nothing is sent until you set it again."),
  events: z.array(z.enum(WEBHOOK_EVENTS)),
  description: z.string(),
  status: z.enum(WEBHOOK_STATUSES),
  disabledReason: z
    .enum(["BY_REQUEST", "FAILING", "GONE"])
    .nullable()
    .describe("FAILING: every try failed for three days. GONE: it answered 410."),
  failingSince: timeField.nullable(),
  oldSecretUntil: timeField
    .nullable()
    .describe("Until then, messages are also signed with the secret before."),
  createdAt: timeField,
  updatedAt: timeField,
});

export const webhookWithSecret = webhookShape.extend({
  secret: z
    .string()
    .optional()
    .describe(
      "Signs the messages (Standard Webhooks). Shown this once, and stored sealed: an answer that is repeated for its Idempotency-Key comes without it. If it is lost, make a new one with rotate-secret.",
    ),
});

export function toShape(webhook: Webhook): z.infer<typeof webhookShape> {
  return {
    id: webhook.id.toString(),
    url: webhook.url,
    events: [...webhook.events],
    description: webhook.description,
    status: webhook.status,
    disabledReason: webhook.disabledReason,
    failingSince: webhook.failingSince?.toISOString() ?? null,
    oldSecretUntil: webhook.oldSecretUntil?.toISOString() ?? null,
    createdAt: webhook.createdAt.toISOString(),
    updatedAt: webhook.updatedAt.toISOString(),
  };
}

export const deliveryShape = z.object({
  id: z.string(),
  messageId: z.string().describe("The webhook-id of all its tries."),
  type: z.string(),
  enrollmentId: z.string().nullable(),
  status: z.enum(DELIVERY_STATES),
  createdAt: timeField,
  tries: z.int(),
  triedAt: timeField.nullable(),
  durationMs: z.int().nullable().describe("Of the last try."),
  httpStatus: z.int().nullable().describe("What the receiver answered; null: nothing."),
  answer: z.string().nullable().describe("The first KiB of its answer."),
  problem: z.string().nullable(),
  nextTryAt: timeField.nullable(),
});

export function toDeliveryShape(delivery: ListedDelivery): z.infer<typeof deliveryShape> {
  return {
    id: delivery.id.toString(),
    messageId: delivery.messageId,
    type: delivery.type,
    enrollmentId: delivery.enrollmentId,
    status: delivery.state,
    createdAt: delivery.createdAt.toISOString(),
    tries: delivery.tries,
    triedAt: delivery.triedAt?.toISOString() ?? null,
    durationMs: delivery.durationMs,
    httpStatus: delivery.httpStatus,
    answer: delivery.answer,
    problem: delivery.problem,
    nextTryAt: delivery.nextTryAt?.toISOString() ?? null,
  };
}

export const notFound = (): RefusedRequest =>
  refusal("NOT_FOUND", { detail: "There is no such webhook subscription." });

export function invalid(problems: WebhookProblems): RefusedRequest {
  const errors = Object.entries(problems).map(([field, detail]) => ({ pointer: `/${field}`, detail }));
  return refusal("INVALID_REQUEST", { status: 422, detail: "The subscription cannot be saved.", errors });
}

const WHY_NOT = {
  "not-found": () => refusal("NOT_FOUND", { detail: "There is no such subscription, or no such delivery." }),
  "switched-off": () => refusal("CONFLICT", { detail: "The subscription is switched off." }),
  "too-many": () =>
    refusal("RATE_LIMITED", {
      detail: "The account sent many tests within the hour. Try again later.",
      headers: { "Retry-After": "600" },
    }),
  pending: () => refusal("CONFLICT", { detail: "The message is still being delivered." }),
} as const;

export function answerRequested(outcome: RequestedDelivery): Answer | RefusedRequest {
  if (outcome.kind === "requested") return { status: 202, body: toDeliveryShape(outcome.delivery) };
  return WHY_NOT[outcome.kind]();
}
