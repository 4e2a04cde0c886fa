import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Router } from "express";
import { LIVE_SCRIPT_PATH, LOGO_PATH, SCRIPT_PATH, STYLESHEET_PATH } from "#web/kit/page.js";

/** The build copies assets to where they are in src/, so one path serves both; in production there is no src/. */
const assetFile = (name: string): string => fileURLToPath(new URL(`../assets/${name}`, import.meta.url));

/**
 * The pages' static files. Our own are checked for changes at every load (the time of its last change makes that cheap), so a new version
 * shows at once; htmx changes only with a release of the app and is kept for a day.
 */
export function createAssetsRouter(): Router {
  const script = createRequire(import.meta.url).resolve("htmx.org/dist/htmx.min.js");
  const router = Router();
  const own = { [STYLESHEET_PATH]: "settings.css", [LIVE_SCRIPT_PATH]: "live.js", [LOGO_PATH]: "logo.svg" };
  for (const [path, name] of Object.entries(own)) {
    const file = assetFile(name);
    router.get(path, (_request, response) =>
      response.sendFile(file, { cacheControl: false, headers: NO_CACHE }),
    );
  }
  router.get(SCRIPT_PATH, (_request, response) => response.sendFile(script, { maxAge: "1 day" }));
  return router;
}

const NO_CACHE = { "Cache-Control": "no-cache" };
