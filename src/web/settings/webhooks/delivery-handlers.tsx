import { sendPart } from "../session/view-only.js";
import { changeWebhook, rotateWebhookSecret } from "#domain/subscriptions/change-webhooks.js";
import { redeliver, sendTestWebhook, type RequestedDelivery } from "#domain/subscriptions/deliveries.js";
import type { Webhook } from "#domain/subscriptions/webhook.js";
import { readId } from "#web/kit/form-fields.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import type { NoticeName } from "../frame/notices.js";
import { digestOf } from "../frame/renewal.js";
import { actorOf } from "../session/visit.js";
import { webhookPath } from "../words/paths.js";
import { DeliveryList } from "./delivery-list.js";
import { readDeliveries } from "./read-deliveries.js";
import { entryOf } from "./webhook-entry.js";
import { findSaved, sendNoWebhook, sendWebhookPage, setupOf } from "./webhook-handlers.js";

/** `GET /settings/webhooks/:webhookId/deliveries`: the list alone, for the page that renews itself. */
export async function showDeliveries(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const webhook = await findSaved(exchange);
  if (webhook === undefined || webhook === "missing") return void response.status(404).end();
  const model = await readDeliveries(exchange, webhook);
  if (request.query["seen"] === digestOf(model.deliveries)) return void response.status(204).end();
  sendPart(exchange, <DeliveryList {...model} />);
}

/** `POST /settings/webhooks/:webhookId/turn`: on or off. */
export async function turn(exchange: FormExchange): Promise<void> {
  const { visit, form } = exchange;
  const isOn = form.text("to") === "on";
  await actOn(exchange, async ({ id }) => {
    const change = {
      id,
      version: form.version(),
      status: isOn ? ("ACTIVE" as const) : ("DISABLED" as const),
    };
    const outcome = await changeWebhook(setupOf(exchange), actorOf(visit), change);
    if (outcome.kind === "changed") return isOn ? "webhook-on" : "webhook-off";
    return outcome.kind === "not-found" ? "webhook-gone" : "webhook-changed";
  });
}

/** `POST /settings/webhooks/:webhookId/secret`: the answer shows the new secret, and no page does again. */
export async function submitNewWebhookSecret(exchange: FormExchange): Promise<void> {
  const id = readId(exchange.request.params["webhookId"]);
  const made = id && (await rotateWebhookSecret(setupOf(exchange), actorOf(exchange.visit), id));
  if (made === undefined || made === 0n) return sendNoWebhook(exchange);
  await sendWebhookPage(exchange, made.webhook, { entry: entryOf(made.webhook), madeSecret: made.secret });
}

/** `POST /settings/webhooks/:webhookId/test` */
export async function sendTest(exchange: FormExchange): Promise<void> {
  await actOn(exchange, async ({ id }) => {
    const { kind } = await sendTestWebhook(setupOf(exchange), actorOf(exchange.visit), id);
    return kind === "requested" ? "webhook-tested" : WHY_NOT[kind];
  });
}

/** `POST /settings/webhooks/:webhookId/deliveries/:deliveryId/again` */
export async function redeliverMessage(exchange: FormExchange): Promise<void> {
  const deliveryId = readId(exchange.request.params["deliveryId"]);
  if (deliveryId === undefined) return sendNoWebhook(exchange);
  await actOn(exchange, async ({ id: webhookId }) => {
    const named = { webhookId, deliveryId };
    const { kind } = await redeliver(setupOf(exchange), actorOf(exchange.visit), named);
    return kind === "requested" ? "webhook-sent-again" : WHY_NOT[kind];
  });
}

const WHY_NOT = {
  "not-found": "webhook-gone",
  "switched-off": "webhook-is-off",
  "too-many": "webhook-too-many-tests",
  pending: "webhook-pending",
} as const satisfies Record<Exclude<RequestedDelivery["kind"], "requested">, NoticeName>;

/** Does something to the webhook of the address, and leads back to its page, which says how it went. */
async function actOn(exchange: FormExchange, act: (webhook: Webhook) => Promise<NoticeName>): Promise<void> {
  const webhook = await findSaved(exchange);
  if (webhook === undefined || webhook === "missing") return sendNoWebhook(exchange);
  finishForm(exchange, await act(webhook), webhookPath(webhook.id));
}
