import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { CLOSE_PATH, IMPORTS_PATH, SEGMENTS_PATH } from "../words/paths.js";
import {
  deleteOne,
  downloadResults,
  move,
  saveSetUp,
  showImport,
  showImportProgress,
} from "./import-handlers.js";
import { importSegment, readClose, showImports, takeFile } from "./imports-handlers.js";

/**
 * Files of contacts to enroll.
 *
 * | route under /settings/imports | |
 * | --- | --- |
 * | GET / | all imports, and the forms for a new one; `?segment=` looks for segments by name |
 * | POST /close | an import of what an organization has in Close |
 * | POST /segments | an import of a segment's members |
 * | GET /:id, /:id/progress | one import, and the part of it that renews itself |
 * | POST /:id/setup | which column is which, and what applies to every row; may try or start it too |
 * | POST /:id/{dry-run,start,pause,resume,cancel}, /:id/delete | what can be done to it |
 * | GET /:id/results.csv | the file again, with what became of each row |
 */
export function addImportsRoutes(router: Router, { page, part, file, form }: Handlers): void {
  router.get(IMPORTS_PATH, page(showImports));
  router.post(SEGMENTS_PATH, form(importSegment));
  router.post(CLOSE_PATH, form(readClose));
  router.get(`${IMPORTS_PATH}/:id`, page(showImport));
  router.get(`${IMPORTS_PATH}/:id/progress`, part(showImportProgress));
  router.get(`${IMPORTS_PATH}/:id/results.csv`, file(downloadResults));
  router.post(`${IMPORTS_PATH}/:id/setup`, form(saveSetUp));
  router.post(`${IMPORTS_PATH}/:id/delete`, form(deleteOne));
  router.post(`${IMPORTS_PATH}/:id/:verb`, form(move));
}

/** POST /settings/imports takes as long as the file takes to come: it stands outside of the site's limit of time. */
export function addUploadRoute(router: Router, { upload }: Handlers): void {
  router.post(IMPORTS_PATH, upload(takeFile));
}
