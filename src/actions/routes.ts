import { Router } from "express";
import type { Pool } from "pg";
import { sequenceOptions, senderOptions } from "../directory/options.js";
import { ENROLL_ROUTE, SENDER_OPTIONS_ROUTE, SEQUENCE_OPTIONS_ROUTE } from "../executions/enroll-contract.js";
import { createAnswerLimit } from "../http/answer-limit.js";
import { CHECK_ENROLLMENT_ROUTE } from "../executions/check-contract.js";
import { readMaxHoldDays } from "../executions/hold.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "../executions/wait-contract.js";
import { acceptCall, type AcceptCallOptions } from "./accept-call.js";
import { parseCheckCall } from "./check-call.js";
import { parseExecutionCall } from "./execution-call.js";
import { receiveWebhook, WEBHOOK_ROUTE, type WebhookOptions } from "./receive-webhook.js";
import { parseWaitCall } from "./wait-call.js";
import { fetchOptions } from "./fetch-options.js";
import { verifiedByHubSpot, type VerifiedRequestOptions } from "./verified-request.js";

export interface ActionRoutesOptions extends AcceptCallOptions, WebhookOptions, VerifiedRequestOptions {
  pool: Pool;
  /** A dropdown of the portal was opened: a good moment to renew its directory. */
  onOptionsAsked: (portalId: bigint) => void;
}

/** A dropdown that takes longer is of no use to whoever opened it. */
const OPTIONS_TIMEOUT_MS = 3_000;

/** What HubSpot calls: the actions, their dropdowns and the webhooks. Every route is behind the signature check. */
export function createActionsRouter(options: ActionRoutesOptions): Router {
  const { pool, onOptionsAsked: onAsked } = options;
  const router = Router({ caseSensitive: true, strict: true });
  const verified = verifiedByHubSpot(options);
  const inTime = createAnswerLimit({ ms: OPTIONS_TIMEOUT_MS });
  router.post(ENROLL_ROUTE, ...verified, acceptCall({ kind: "ENROLL", parse: parseExecutionCall }, options));
  router.post(
    CHECK_ENROLLMENT_ROUTE,
    ...verified,
    acceptCall({ kind: "CHECK_ENROLLMENT", parse: parseCheckCall }, options),
  );
  const wait = {
    maxHoldDays: (portalId: bigint) => readMaxHoldDays(pool, portalId),
    now: () => new Date(options.nowMs()),
  };
  router.post(
    WAIT_FOR_SEQUENCE_END_ROUTE,
    ...verified,
    acceptCall({ kind: "WAIT_FOR_SEQUENCE_END", parse: (body) => parseWaitCall(body, wait) }, options),
  );
  router.post(WEBHOOK_ROUTE, ...verifiedByHubSpot(options, ["v3"]), receiveWebhook(options));
  router.post(
    SEQUENCE_OPTIONS_ROUTE,
    ...verified,
    inTime,
    fetchOptions({ fieldName: "sequence_id", load: (query) => sequenceOptions(pool, query), onAsked }),
  );
  router.post(
    SENDER_OPTIONS_ROUTE,
    ...verified,
    inTime,
    fetchOptions({ fieldName: "sender_user_id", load: (query) => senderOptions(pool, query), onAsked }),
  );
  return router;
}
