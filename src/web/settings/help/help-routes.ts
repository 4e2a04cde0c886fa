import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { HELP_PATH } from "../words/paths.js";
import { showHelp, showReason } from "./help-handlers.js";

/** What each reason means, and what helps. */
export function addHelpRoutes(router: Router, { page }: Handlers): void {
  router.get(HELP_PATH, page(showHelp));
  router.get(`${HELP_PATH}/:code`, page(showReason));
}
