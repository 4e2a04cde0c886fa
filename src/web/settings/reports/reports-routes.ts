import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { sendReportFile, showReports } from "./reports-handlers.js";

/** Numbers by sequence, sender or workflow, as a page and as a file. */
export function addReportsRoutes(router: Router, { page, file }: Handlers): void {
  router.get("/settings/reports", page(showReports));
  router.get("/settings/reports.csv", file(sendReportFile));
}
