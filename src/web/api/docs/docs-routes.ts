import { fileURLToPath } from "node:url";
import { Router, type Response } from "express";
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { PROBLEM_PAGE } from "#web/api/kit/send-problem.js";
import { DOCS_PATH, DOCS_STYLE_PATH, TRY_SCRIPT_PATH } from "./docs-frame.js";
import { ApiDocsPage } from "./docs-page.js";
import { ErrorsPage } from "./errors-page.js";
import type { ApiDocument } from "./operations.js";

/** Nothing here is about an account, but a new version shows at once: each load asks whether it is still the same. */
const NO_CACHE = { "Cache-Control": "no-cache" };

/** The build copies assets to where they are in src/, so one path serves both; in production there is no src/. */
const assetFile = (name: string): string => fileURLToPath(new URL(`./assets/${name}`, import.meta.url));

/** `/api/docs` and `/api/docs/errors`, which need no key. Each is written once, when it is first asked for. */
export function createDocsRouter(document: () => ApiDocument): Router {
  const router = Router();
  const pages = {
    [DOCS_PATH]: () => renderToString(h(ApiDocsPage, { document: document() })),
    [PROBLEM_PAGE]: () => renderToString(h(ErrorsPage, {})),
  };
  for (const [path, write] of Object.entries(pages)) {
    let html: string | undefined;
    router.get(path, (_request, response: Response) => {
      html ??= `<!doctype html>${write()}`;
      response.set(NO_CACHE).type("html").send(html);
    });
  }
  const assets = { [DOCS_STYLE_PATH]: "docs.css", [TRY_SCRIPT_PATH]: "try-it.js" };
  for (const [path, name] of Object.entries(assets))
    router.get(path, (_request, response: Response) =>
      response.sendFile(assetFile(name), { cacheControl: false, headers: NO_CACHE }),
    );
  return router;
}
