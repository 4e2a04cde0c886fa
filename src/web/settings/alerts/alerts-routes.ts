import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import {
  submitConfirmation,
  submitAlerts,
  submitNewSecret,
  submitTestAlert,
  showAlerts,
  showLastAlert,
} from "./alerts-handlers.js";
import { LAST_ALERT_PATH } from "./last-alert.js";
import { ASK_AGAIN_PATH } from "./recipients.js";

/** Who is alerted, of what, and whether it arrives. */
export function addAlertsRoutes(router: Router, { page, part, form }: Handlers): void {
  router.get("/settings/alerts", page(showAlerts));
  router.get(LAST_ALERT_PATH, part(showLastAlert));
  router.post("/settings/alerts", form(submitAlerts));
  router.post("/settings/alerts/secret", form(submitNewSecret));
  router.post(ASK_AGAIN_PATH, form(submitConfirmation));
  router.post("/settings/alerts/test", form(submitTestAlert));
}
