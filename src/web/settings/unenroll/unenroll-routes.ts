import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { askToUnenroll, unenrollOne } from "./contact-handlers.js";
import { check, showUnenroll, endUnenroll, switchOn } from "./unenroll-handlers.js";

/** Taking contacts out of their sequences, and the helper workflow that does it. */
export function addUnenrollRoutes(router: Router, { page, form }: Handlers): void {
  router.get("/settings/unenroll", page(showUnenroll));
  router.post("/settings/unenroll/on", form(switchOn));
  router.post("/settings/unenroll/off", form(endUnenroll));
  router.post("/settings/unenroll/check", form(check));
  router.get("/settings/unenroll/contact/:id", page(askToUnenroll));
  router.post("/settings/unenroll/contact/:id", form(unenrollOne));
}
