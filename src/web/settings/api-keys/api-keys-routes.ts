import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { revoke, showKeys, submitKey } from "./api-keys-handlers.js";

/** Keys of the REST API. */
export function addApiKeysRoutes(router: Router, { page, form }: Handlers): void {
  router.get("/settings/api-keys", page(showKeys));
  router.post("/settings/api-keys", form(submitKey));
  router.post("/settings/api-keys/revoke", form(revoke));
}
