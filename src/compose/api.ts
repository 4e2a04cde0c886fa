import { Router } from "express";
import { createKeyRecognition } from "#domain/keys/recognize-key.js";
import { createOutcomeWatch, type OutcomeWatch } from "#domain/executions/outcome-watch.js";
import type { Database } from "#platform/db/client.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { createEndpoints } from "#web/api/api-endpoints.js";
import { createDocsRouter } from "#web/api/docs/docs-routes.js";
import type { ApiDocument } from "#web/api/docs/operations.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { startWakeListener } from "#platform/queue/wake-listener.js";
import { createApiRouter } from "#web/api/kit/api-router.js";
import { createRateLimit } from "#web/api/kit/rate-limit.js";
import { WEBHOOK_MESSAGES } from "#web/api/v1/webhook-subscriptions/messages.js";
import { describeApi } from "#web/api/kit/openapi.js";
import { DOCS_PATH } from "#web/api/docs/docs-frame.js";
import { createSecurityHeaders } from "#web/kit/security-headers.js";
import { AccountShare } from "#web/kit/account-share.js";
import { SITE_TIMEOUT_MS } from "./databases.js";
import type { Foundation } from "./foundation.js";
import { traceAccepting } from "./trace-work.js";

export interface SiteAccess {
  readonly database: Database;
  readonly gatewayOf: (portalId: PortalId) => PortalGateway;
}

/** Reading takes some milliseconds: a client with many connections has its requests answered one after the other. */
const REQUESTS_OF_AN_ACCOUNT = { inHand: 3, waiting: 200, patienceMs: 3_000 };

const LISTEN_CONNECT_MS = 1_000;

/** The REST API, and the pages that explain it. @param site the site's own connections, and its way to HubSpot. */
export function createApi(foundation: Foundation, { database, gatewayOf }: SiteAccess): Router {
  const { config, logger, wake, cipher, directory, hubspotClock } = foundation;
  const endpoints = createEndpoints({
    gatewayOf,
    directory,
    now: () => hubspotClock.at(),
    deadlineHours: config.executionDeadlineHours,
    wake,
    cipher,
    privateDestinations: config.privateDestinations,
    committed: database.pool,
    outcomes: watchOutcomes(foundation, database),
    traceAccepting: traceAccepting(foundation.tracing),
  });
  const { publicUrl } = config;
  let described: object | undefined;
  // When it is first asked for: it takes a tenth of a second, which the start of a process can do without.
  const document = (): object =>
    (described ??= describeApi({ endpoints, messages: WEBHOOK_MESSAGES, publicUrl }));
  const routes = createApiRouter(endpoints, {
    recognizeKey: createKeyRecognition({ pool: database.pool, logger }),
    countRequest: createRateLimit({ pool: database.pool, limit: config.apiRateLimit, logger }),
    database,
    share: new AccountShare(REQUESTS_OF_AN_ACCOUNT),
    timeoutMs: SITE_TIMEOUT_MS,
    publicUrl,
    logger,
    document,
  });
  return (
    Router()
      .use(routes)
      .use(DOCS_PATH, createSecurityHeaders({ publicUrl }))
      // The pages read the part of OpenAPI that describeApi writes.
      .use(createDocsRouter(document as () => ApiDocument))
  );
}

/** A connection of its own, while somebody waits and a little longer. */
function watchOutcomes(
  { config, logger, onClose }: Foundation,
  { pool, url: databaseUrl }: Database,
): OutcomeWatch {
  const { databaseConnectTimeoutMs: connectTimeoutMs = LISTEN_CONNECT_MS } = config;
  const applicationName = "sequence-enroller-waits";
  const outcomes = createOutcomeWatch(pool, (channel, onWake) =>
    startWakeListener({ databaseUrl, applicationName, connectTimeoutMs, channel, onWake, logger }),
  );
  onClose(() => outcomes.stop());
  return outcomes;
}
