import { Router } from "express";
import { addAccessRoutes } from "./access/access-routes.js";
import { addActivityRoutes } from "./activity/activity-routes.js";
import { addAlertsRoutes } from "./alerts/alerts-routes.js";
import { addApiKeysRoutes } from "./api-keys/api-keys-routes.js";
import { addAuditRoutes } from "./audit/audit-routes.js";
import { addDangerRoutes } from "./danger/danger-routes.js";
import { createAssetsRouter } from "./frame/assets.js";
import { ACCOUNTS_PATH } from "./frame/navigation.js";
import { handlersOf } from "./gate/handlers.js";
import { addHelpRoutes } from "./help/help-routes.js";
import { addImportsRoutes, addUploadRoute } from "./imports/imports-routes.js";
import { addOverviewRoutes } from "./overview/overview-routes.js";
import { addPolicyRoutes } from "./policy/policy-routes.js";
import { addRecipesRoutes } from "./ready-made/recipes-routes.js";
import { addReportsRoutes } from "./reports/reports-routes.js";
import { addSendersRoutes } from "./senders/senders-routes.js";
import { addStoryRoutes } from "./story/story-routes.js";
import { addWebhooksRoutes } from "./webhooks/webhooks-routes.js";
import { addWorkflowsRoutes } from "./workflows/workflows-routes.js";
import { addUnenrollRoutes } from "./unenroll/unenroll-routes.js";
import { RECONNECT_PATH } from "./words/paths.js";
import type { SettingsOptions } from "./session/site-options.js";

/** A preset may list 1,000 domains; a rotation has two fields for each of 200 senders, Close a sequence for each of 500. */
const LONG_FORM = { maxBytes: 256 * 1024, maxFields: 2_000 };

/**
 * The hosted settings site: each room's table of addresses. Everything is read and written for the portal of the session,
 * whatever a request names. A stranger gets the sign-in page (401); an admin of a disconnected portal, "connect again".
 */
export function createSettingsRouter(options: SettingsOptions): Router {
  const router = Router();
  const handlers = handlersOf(options);
  const longForms = handlersOf(options, LONG_FORM);
  router.use(createAssetsRouter());
  router.get("/", (_request, response) => response.redirect("/settings"));
  addOverviewRoutes(router, handlers);
  addActivityRoutes(router, handlers);
  addStoryRoutes(router, handlers);
  addReportsRoutes(router, handlers);
  addWorkflowsRoutes(router, longForms);
  addRecipesRoutes(router, handlers);
  addSendersRoutes(router, longForms);
  addPolicyRoutes(router, longForms);
  addUnenrollRoutes(router, handlers);
  addImportsRoutes(router, longForms);
  addAlertsRoutes(router, handlers);
  addApiKeysRoutes(router, handlers);
  addWebhooksRoutes(router, handlers);
  addAccessRoutes(router, handlers);
  addAuditRoutes(router, handlers);
  addDangerRoutes(router, handlers);
  router.get(RECONNECT_PATH, handlers.reconnect());
  addHelpRoutes(router, handlers);
  router.post("/settings/sign-out", handlers.signOut());
  router.get(ACCOUNTS_PATH, handlers.accounts.page);
  router.post(`${ACCOUNTS_PATH}/switch`, handlers.accounts.form);
  return router;
}

/** Its routes whose requests take as long as their files take to come: they have no limit of time. */
export function createUploadRouter(options: SettingsOptions): Router {
  const router = Router();
  addUploadRoute(router, handlersOf(options));
  return router;
}
