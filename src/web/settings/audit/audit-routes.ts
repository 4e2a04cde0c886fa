import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { showAudit } from "./audit-handlers.js";

/** What was changed, and by whom. */
export function addAuditRoutes(router: Router, { page }: Handlers): void {
  router.get("/settings/audit", page(showAudit));
}
