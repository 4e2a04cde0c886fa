import type { Router } from "express";
import { createKeyRecognition } from "#domain/keys/recognize-key.js";
import { createOutcomeWatch } from "#domain/executions/outcome-watch.js";
import type { Database } from "#platform/db/client.js";
import { createEndpoints } from "#web/api/api-endpoints.js";
import { createApiRouter } from "#web/api/kit/api-router.js";
import { createRateLimit } from "#web/api/kit/rate-limit.js";
import { AccountShare } from "#web/kit/account-share.js";
import { SITE_TIMEOUT_MS, type Foundation } from "./foundation.js";

/** Reading takes some milliseconds: a client with many connections has its requests answered one after the other. */
const REQUESTS_OF_AN_ACCOUNT = { inHand: 3, waiting: 200, patienceMs: 3_000 };

/** The REST API. @param database the site's own connections. */
export function createApi({ config, logger, wake, cipher }: Foundation, database: Database): Router {
  const endpoints = createEndpoints({
    deadlineHours: config.executionDeadlineHours,
    wake,
    cipher,
    privateDestinations: config.privateDestinations,
    committed: database.pool,
    outcomes: createOutcomeWatch(database.pool),
  });
  return createApiRouter(endpoints, {
    recognizeKey: createKeyRecognition({ pool: database.pool, logger }),
    countRequest: createRateLimit({ pool: database.pool, limit: config.apiRateLimit, logger }),
    database,
    share: new AccountShare(REQUESTS_OF_AN_ACCOUNT),
    timeoutMs: SITE_TIMEOUT_MS,
    publicUrl: config.publicUrl,
    logger,
  });
}
