import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { putContactsIn, readAgain, showWorkflows } from "./workflows-handlers.js";
import { CONTACTS_PATH } from "./contacts-card.js";
import { WORKFLOWS_PATH } from "../words/paths.js";
import { READ_AGAIN_PATH } from "./workflows-page.js";

/** The account's workflows that have to do with sequences. */
export function addWorkflowsRoutes(router: Router, { page, form }: Handlers): void {
  router.get(WORKFLOWS_PATH, page(showWorkflows));
  router.post(READ_AGAIN_PATH, form(readAgain));
  router.post(CONTACTS_PATH, form(putContactsIn));
}
