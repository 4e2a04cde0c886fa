import { Router, type Request, type Response } from "express";
import { sendFragment } from "#web/kit/page.js";
import { letSomebodyIn, showAccess, takeSomebodyOut } from "./access/access-view.js";
import { createActivityRouter } from "./activity/routes.js";
import { admitPage, admitPart } from "./gate/admit-page.js";
import { showAlerts, showLastAlert } from "./alerts/alerts-view.js";
import { answersOf } from "./frame/answer.js";
import { createAssetsRouter } from "./frame/assets.js";
import { disconnect, erase, pause, resume, showDanger } from "./danger/danger-view.js";
import { formBody, signOut, signOutBody } from "./gate/admit-form.js";
import { askToConfirm, changeAlerts, renewSecret, sendTestAlert } from "./alerts/change-alerts.js";
import { changeSender } from "./overview/change-default-sender.js";
import { LAST_ALERT_PATH } from "./alerts/last-alert.js";
import { ASK_AGAIN_PATH } from "./alerts/recipients.js";
import { WAITING_PATH, WaitingCard } from "./overview/waiting-card.js";
import { Trouble } from "./overview/trouble.js";
import { createPolicyRouter } from "./policy/routes.js";
import { sendReportFile, showReports } from "./reports/reports-view.js";
import { readLive, sendSettings } from "./overview/overview-view.js";
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
  const body = formBody(options);
  const { page: answer, file } = answersOf(options);
  router.use(createAssetsRouter());
  router.use(createActivityRouter(options));
  router.get("/", (_request, response) => response.redirect("/settings"));
  router.get("/settings", answer(showSettings));
  router.get(WAITING_PATH, answer(showWaiting));
  router.get("/settings/alerts", answer(showAlerts));
  router.get(LAST_ALERT_PATH, answer(showLastAlert));
  router.post("/settings/default-sender", body, answer(changeSender));
  router.post("/settings/alerts", body, answer(changeAlerts));
  router.post("/settings/alerts/secret", body, answer(renewSecret));
  router.post(ASK_AGAIN_PATH, body, answer(askToConfirm));
  router.post("/settings/alerts/test", body, answer(sendTestAlert));
  router.get("/settings/danger", answer(showDanger));
  router.post("/settings/danger/pause", body, answer(pause));
  router.post("/settings/danger/resume", body, answer(resume));
  router.post("/settings/danger/erase", body, answer(erase));
  router.post("/settings/danger/disconnect", body, answer(disconnect));
  router.get("/settings/reports", answer(showReports));
  router.get("/settings/reports.csv", file(sendReportFile));
  router.get("/settings/access", answer(showAccess));
  router.post("/settings/access/let-in", body, answer(letSomebodyIn));
  router.post("/settings/access/take-out", body, answer(takeSomebodyOut));
  router.post("/settings/sign-out", signOutBody(options), answer(signOut));
  router.use(createPolicyRouter(options));
  return router;
}

async function showSettings(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit !== undefined) await sendSettings(options, visit, { request, response });
}

async function showWaiting(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPart(options, request, response);
  if (visit === undefined) return;
  const live = await readLive(options, visit.portal);
  sendFragment(
    response,
    <>
      <WaitingCard {...live} />
      <Trouble {...live} isUpdate />
    </>,
  );
}
