import { createHash, timingSafeEqual } from "node:crypto";
import { Router } from "express";
import type { Registry } from "prom-client";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Takes the same time for any input: digests have one length, and the comparison is timing-safe. */
function isBearer(header: string | undefined, token: string): boolean {
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

/** Rendering takes milliseconds and a query: within this time every caller gets the same text. */
const RENDER_EVERY_MS = 1_000;

/** All callers share one rendering while it runs or is fresh. */
function sharedRender(registry: Registry): () => Promise<string> {
  let rendered = Promise.resolve("");
  let freshUntilMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs >= freshUntilMs) {
      freshUntilMs = nowMs + RENDER_EVERY_MS;
      rendered = registry.metrics();
    }
    return rendered;
  };
}

/** `GET /metrics` in Prometheus' text format, behind a bearer token. Without one there is no such route in production. */
export function createMetricsRouter(options: {
  registry: Registry;
  token: string | undefined;
  isProduction: boolean;
}): Router {
  const { registry, token, isProduction } = options;
  const router = Router();
  if (token === undefined && isProduction) return router;
  const render = sharedRender(registry);
  router.get("/metrics", async (request, response) => {
    if (token !== undefined && !isBearer(request.headers.authorization, token)) {
      response
        .status(401)
        .set("WWW-Authenticate", "Bearer")
        .send("A bearer token is needed (METRICS_TOKEN).\n");
      return;
    }
    response.type(registry.contentType).send(await render());
  });
  return router;
}
