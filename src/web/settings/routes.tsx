import { Router } from "express";
import { letSomebodyIn, showAccess, takeSomebodyOut } from "./access/access-view.js";
import { createActivityRouter } from "./activity/routes.js";
import { showAlerts, showLastAlert } from "./alerts/alerts-view.js";
import { handlersOf } from "./gate/handlers.js";
import { showAudit } from "./audit/audit-view.js";
import { createAssetsRouter } from "./frame/assets.js";
import { disconnect, erase, pause, resume, showDanger } from "./danger/danger-view.js";
import { askToConfirm, changeAlerts, renewSecret, sendTestAlert } from "./alerts/change-alerts.js";
import { changeDefaultSender } from "./overview/change-default-sender.js";
import { LAST_ALERT_PATH } from "./alerts/last-alert.js";
import { ASK_AGAIN_PATH } from "./alerts/recipients.js";
import { WAITING_PATH } from "./overview/waiting-card.js";
import { createPolicyRouter } from "./policy/routes.js";
import { sendReportFile, showReports } from "./reports/reports-view.js";
import { showOverview, showWaiting } from "./overview/overview-view.js";
import type { SettingsOptions } from "./session/site-options.js";

/**
 * The hosted settings site. Everything is read and written for the portal of the session, whatever a request names.
 *
 * | route | |
 * | --- | --- |
 * | GET / | to /settings |
 * | GET /settings | the page; sign-in (401) for a stranger, "connect again" for a disconnected portal |
 * | GET /settings/waiting, /settings/alerts/last | the parts that renew themselves, for htmx |
 * | /settings/activity… | activity/routes.tsx |
 * | POST /settings/default-sender, /settings/alerts, /settings/alerts/test, /settings/sign-out | forms with this session's token |
 */
export function createSettingsRouter(options: SettingsOptions): Router {
  const router = Router();
  const { page, part, file, form, signOut } = handlersOf(options);
  router.use(createAssetsRouter());
  router.use(createActivityRouter(options));
  router.get("/", (_request, response) => response.redirect("/settings"));
  router.get("/settings", page(showOverview));
  router.get(WAITING_PATH, part(showWaiting));
  router.get("/settings/alerts", page(showAlerts));
  router.get(LAST_ALERT_PATH, part(showLastAlert));
  router.post("/settings/default-sender", form(changeDefaultSender));
  router.post("/settings/alerts", form(changeAlerts));
  router.post("/settings/alerts/secret", form(renewSecret));
  router.post(ASK_AGAIN_PATH, form(askToConfirm));
  router.post("/settings/alerts/test", form(sendTestAlert));
  router.get("/settings/danger", page(showDanger));
  router.post("/settings/danger/pause", form(pause));
  router.post("/settings/danger/resume", form(resume));
  router.post("/settings/danger/erase", form(erase));
  router.post("/settings/danger/disconnect", form(disconnect));
  router.get("/settings/reports", page(showReports));
  router.get("/settings/reports.csv", file(sendReportFile));
  router.get("/settings/access", page(showAccess));
  router.post("/settings/access/let-in", form(letSomebodyIn));
  router.post("/settings/access/take-out", form(takeSomebodyOut));
  router.get("/settings/audit", page(showAudit));
  router.post("/settings/sign-out", signOut());
  router.use(createPolicyRouter(options));
  return router;
}
