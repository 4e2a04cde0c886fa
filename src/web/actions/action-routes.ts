import { Router } from "express";
import type { Pool } from "pg";
import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { createFirstCopyWait } from "#domain/directory/first-copy.js";
import {
  presetOptions,
  rotationOptions,
  senderOptions,
  sequenceOptions,
  type OptionPage,
  type OptionQuery,
} from "#domain/directory/options.js";
import {
  ENROLL_ROUTE,
  LEFT_TO_PRESET,
  PRESET_OPTIONS_ROUTE,
  ROTATION_OPTIONS_ROUTE,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
  type EnrollInput,
} from "#domain/contract/actions/enroll-contract.js";
import type { AccountShare } from "#web/kit/account-share.js";
import { createAnswerLimit } from "#web/kit/answer-limit.js";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import { UNENROLL_ROUTE } from "#domain/contract/actions/unenroll-contract.js";
import { acceptCall, type AcceptCallOptions } from "./accept-call.js";
import { parseCheckCall } from "./check-call.js";
import { parseEnrollCall, type EnrollCallOptions } from "./execution-call.js";
import { receiveWebhook, WEBHOOK_ROUTE, type WebhookOptions } from "./receive-webhook.js";
import { parseUnenrollCall } from "./unenroll-call.js";
import { parseWaitCall } from "./wait-call.js";
import { fetchOptions } from "./fetch-options.js";
import { calledByHubSpot, type VerifiedRequestOptions } from "./verified-request.js";

export interface ActionRoutesOptions extends AcceptCallOptions, WebhookOptions, VerifiedRequestOptions {
  database: Pick<Database, "pool" | "until">;
  /** One account's share of the connections that store calls, for dropdowns. */
  dropdowns: AccountShare;
  readHoldSettings: EnrollCallOptions["readHoldSettings"];
  /** A dropdown of the portal was opened: a good moment to renew its directory. */
  onOptionsAsked: (portalId: PortalId) => void;
}

/** A dropdown that takes longer is useless to the person who opened it. */
const OPTIONS_TIMEOUT_MS = 3_000;
/** Of it, for the first copy of a portal's directory; the rest is for the list itself. */
const FIRST_COPY_MS = 2_200;

interface Dropdown {
  route: string;
  /** The action's input the list is for. */
  fieldName: EnrollInput;
  list: (pool: Pool, query: OptionQuery) => Promise<OptionPage>;
}

const DEFAULT_PRESET = { label: "The account's default preset", value: LEFT_TO_PRESET };

const DROPDOWNS: readonly Dropdown[] = [
  { route: SEQUENCE_OPTIONS_ROUTE, fieldName: "sequence_id", list: sequenceOptions },
  { route: SENDER_OPTIONS_ROUTE, fieldName: "sender_user_id", list: senderOptions },
  { route: ROTATION_OPTIONS_ROUTE, fieldName: "rotation_id", list: rotationOptions },
  {
    route: PRESET_OPTIONS_ROUTE,
    fieldName: "preset_id",
    list: (pool, query) => presetOptions(pool, query, DEFAULT_PRESET),
  },
];

/** HubSpot's routes: the actions, their dropdowns and the webhooks. Every route is behind the signature check. */
export function createActionsRouter(options: ActionRoutesOptions): Router {
  const { database, dropdowns: share, onOptionsAsked: onAsked } = options;
  const router = Router({ caseSensitive: true, strict: true });
  const verified = calledByHubSpot(options);
  const firstCopy = createFirstCopyWait({ pool: database.pool, wake: options.wake, waitMs: FIRST_COPY_MS });
  const inTime = createAnswerLimit({ ms: OPTIONS_TIMEOUT_MS });
  const { readHoldSettings } = options;
  router.post(
    ENROLL_ROUTE,
    verified,
    acceptCall({ kind: "ENROLL", parse: (body) => parseEnrollCall(body, { readHoldSettings }) }, options),
  );
  router.post(
    CHECK_ENROLLMENT_ROUTE,
    verified,
    acceptCall({ kind: "CHECK_ENROLLMENT", parse: parseCheckCall }, options),
  );
  router.post(
    WAIT_FOR_SEQUENCE_END_ROUTE,
    verified,
    acceptCall(
      { kind: "WAIT_FOR_SEQUENCE_END", parse: (body) => parseWaitCall(body, { readHoldSettings }) },
      options,
    ),
  );
  router.post(UNENROLL_ROUTE, verified, acceptCall({ kind: "UNENROLL", parse: parseUnenrollCall }, options));
  router.post(WEBHOOK_ROUTE, calledByHubSpot(options, { versions: ["v3"] }), receiveWebhook(options));
  for (const { route, fieldName, list } of DROPDOWNS) {
    const load = (query: OptionQuery, signal: AbortSignal) => list(database.until(signal).pool, query);
    const dropdown = fetchOptions({ fieldName, share, isReady: firstCopy, load, onAsked });
    router.post(route, verified, inTime, dropdown);
  }
  return router;
}
