import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import {
  redeliverMessage,
  submitNewWebhookSecret,
  sendTest,
  showDeliveries,
  turn,
} from "./delivery-handlers.js";
import { deleteWebhook, saveWebhook, showWebhook, showWebhooks } from "./webhook-handlers.js";

/** Which programs are told what happens. Ids in addresses are looked up within the portal of the session. */
export function addWebhooksRoutes(router: Router, { page, part, form }: Handlers): void {
  router.get("/settings/webhooks", page(showWebhooks));
  router.get("/settings/webhooks/:webhookId", page(showWebhook));
  router.get("/settings/webhooks/:webhookId/deliveries", part(showDeliveries));
  router.post("/settings/webhooks/:webhookId", form(saveWebhook));
  router.post("/settings/webhooks/:webhookId/delete", form(deleteWebhook));
  router.post("/settings/webhooks/:webhookId/turn", form(turn));
  router.post("/settings/webhooks/:webhookId/secret", form(submitNewWebhookSecret));
  router.post("/settings/webhooks/:webhookId/test", form(sendTest));
  router.post("/settings/webhooks/:webhookId/deliveries/:deliveryId/again", form(redeliverMessage));
}
