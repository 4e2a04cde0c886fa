import express, { type Express } from "express";
import { createErrorHandler, createNotFound } from "#web/kit/error-handler.js";
import { refuseCrumbs } from "#web/kit/refuse-crumbs.js";
import { createRequestId } from "#web/kit/request-id.js";
import { createSecurityTxt } from "#web/kit/security-txt.js";
import { ownFaultOf } from "#platform/queue/stopped-portals.js";
import { createHealthRouter } from "#platform/observability/health.js";
import { createMetricsRouter } from "#platform/observability/metrics/metrics-route.js";
import { whyNotWritable } from "#platform/db/writable.js";
import { createApi } from "./api.js";
import type { Foundation } from "./foundation.js";
import { mountActions } from "./calls.js";
import { mountSites, openSiteWays, type WebParts } from "./site.js";

/** The HTTP app of a process: what its role serves. */
export function createHttp(foundation: Foundation, parts: WebParts = {}): Express {
  const { config, logger, database, siteDatabase, metrics } = foundation;
  const http = express();
  http.disable("x-powered-by");
  http.disable("etag");
  http.set("query parser", "simple");
  refuseCrumbs(http);
  http.use(createRequestId());
  if (config.role !== "worker") mountActions(http, foundation);
  http.use(
    createHealthRouter(
      {
        database: () => whyNotWritable(database.pool),
        queue: async () => {
          await foundation.queue.probe();
          return undefined;
        },
      },
      {
        setup: () => ownFaultOf(database.pool),
        database: () => Promise.resolve(foundation.databaseTroubles.recent()),
      },
    ),
  );
  const { metricsToken: token, isProduction } = config;
  http.use(createMetricsRouter({ registry: metrics.registry, token, isProduction }));
  if (siteDatabase !== undefined) {
    const { securityContact: contact, publicUrl } = config;
    http.use(createSecurityTxt({ contact, publicUrl, now: foundation.now }));
  }
  if (siteDatabase !== undefined) {
    const ways = openSiteWays(foundation, siteDatabase);
    http.use(createApi(foundation, ways));
    mountSites(http, foundation, { ...ways, ...parts });
  }
  http.use(createNotFound());
  http.use(createErrorHandler({ logger }));
  return http;
}
