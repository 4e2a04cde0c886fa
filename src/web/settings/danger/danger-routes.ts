import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { disconnect, erase, pause, resume, showDanger } from "./danger-handlers.js";

/** What cannot be taken back, and the pause. */
export function addDangerRoutes(router: Router, { page, form }: Handlers): void {
  router.get("/settings/danger", page(showDanger));
  router.post("/settings/danger/pause", form(pause));
  router.post("/settings/danger/resume", form(resume));
  router.post("/settings/danger/erase", form(erase));
  router.post("/settings/danger/disconnect", form(disconnect));
}
