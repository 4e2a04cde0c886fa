import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { ACTIVITY_PATH, BULK_PATH, EXPORT_PATH, LATEST_PATH, VIEWS_PATH } from "../words/paths.js";
import { exportAll, showLatest, showList } from "./activity-handlers.js";
import { addView, removeView } from "./views/view-handlers.js";
import { askBeforeBulk, showJob, showProgress, startBulk, stopBulk } from "./bulk/bulk-handlers.js";

/**
 * Every execution of the portal, and what an admin can do with many of them at once.
 *
 * | route under /settings/activity | |
 * | --- | --- |
 * | GET / , /latest | the list by filter, newest first; the part of it that renews itself |
 * | GET /export.csv | the same as a file |
 * | GET and POST /bulk | the question before it is done to all that match, and the answer yes |
 * | GET /bulk/:id, /bulk/:id/progress, POST /bulk/:id/stop | how far a bulk job is |
 * | POST /views, /views/:id/delete | a filter saved under a name, and taken off |
 */
export function addActivityRoutes(router: Router, { page, part, file, form }: Handlers): void {
  router.get(ACTIVITY_PATH, page(showList));
  router.get(LATEST_PATH, part(showLatest));
  router.get(EXPORT_PATH, file(exportAll));
  router.get(BULK_PATH, page(askBeforeBulk));
  router.post(BULK_PATH, form(startBulk));
  router.get(`${BULK_PATH}/:id`, page(showJob));
  router.get(`${BULK_PATH}/:id/progress`, part(showProgress));
  router.post(`${BULK_PATH}/:id/stop`, form(stopBulk));
  router.post(VIEWS_PATH, form(addView));
  router.post(`${VIEWS_PATH}/:id/delete`, form(removeView));
}
