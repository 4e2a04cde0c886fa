import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { changeDefaultSender } from "./default-sender-handlers.js";
import { hideSetupList, showOverview, showSetup, showWaiting } from "./overview-handlers.js";
import { snooze, wake } from "./snooze-handlers.js";
import { SNOOZE_PATH, WAKE_PATH } from "./snooze.js";
import { HIDE_SETUP_PATH, SETUP_PATH } from "./setup-card.js";
import { WAITING_PATH } from "./waiting-card.js";

/** How the account is doing, and its default sender. */
export function addOverviewRoutes(router: Router, { page, part, form }: Handlers): void {
  router.get("/settings", page(showOverview));
  router.get(WAITING_PATH, part(showWaiting));
  router.get(SETUP_PATH, part(showSetup));
  router.post(HIDE_SETUP_PATH, form(hideSetupList));
  router.post(SNOOZE_PATH, form(snooze));
  router.post(WAKE_PATH, form(wake));
  router.post("/settings/default-sender", form(changeDefaultSender));
}
