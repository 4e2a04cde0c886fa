import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { changeSomebodysRole, letSomebodyIn, showAccess, takeSomebodyOut } from "./access-handlers.js";

/** Who may use the site. */
export function addAccessRoutes(router: Router, { page, form }: Handlers): void {
  router.get("/settings/access", page(showAccess));
  router.post("/settings/access/let-in", form(letSomebodyIn));
  router.post("/settings/access/role", form(changeSomebodysRole));
  router.post("/settings/access/take-out", form(takeSomebodyOut));
}
