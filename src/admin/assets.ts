import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Router } from "express";
import { SCRIPT_PATH, STYLESHEET_PATH } from "../http/page.js";

/** Both src/admin/ and dist/admin/ lie two levels below the package, so one path serves the sources and the build. */
const STYLESHEET = fileURLToPath(new URL("../../src/admin/assets/settings.css", import.meta.url));

/**
 * The page's two static files. The stylesheet is checked for changes at every load (an ETag makes that cheap), so a new
 * version shows at once; htmx changes only with a release of the app and is kept for a day.
 */
export function createAssetsRouter(): Router {
  const script = createRequire(import.meta.url).resolve("htmx.org/dist/htmx.min.js");
  const router = Router();
  router.get(STYLESHEET_PATH, (_request, response) =>
    response.sendFile(STYLESHEET, { cacheControl: false, headers: NO_CACHE }),
  );
  router.get(SCRIPT_PATH, (_request, response) => response.sendFile(script, { maxAge: "1 day" }));
  return router;
}

const NO_CACHE = { "Cache-Control": "no-cache" };
