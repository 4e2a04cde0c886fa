import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { showAudit } from "./audit-handlers.js";

/** Who changed what. */
export function addAuditRoutes(router: Router, { page }: Handlers): void {
  router.get("/settings/audit", page(showAudit));
}
