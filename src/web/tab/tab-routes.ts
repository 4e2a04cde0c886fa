import { Router, type Request, type RequestHandler, type Response } from "express";
import type { Pool } from "pg";
import { endOf, type AccountShare } from "#web/kit/account-share.js";
import { createAnswerLimit } from "#web/kit/answer-limit.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { readStorableJson } from "#platform/text/storable-json.js";
import { z } from "zod";
import { setPaused } from "#domain/accounts/portal-pause.js";
import type { Rights, AccountRole } from "#domain/accounts/rights.js";
import { readAsker, type Asker } from "./asker.js";
import type { SavePolicyOutcome } from "#domain/policy/portal-policy-store.js";
import { defaultsChange, readDefaults, saveDefaults } from "./defaults.js";
import { readOverview, type OverviewOptions } from "./overview.js";
import { refuse, type RefusalCode } from "./refuse.js";

export const EXTENSION_PREFIX = "/hubspot/settings";

export interface ExtensionOptions extends OverviewOptions {
  /** Reads the raw body and lets pass what HubSpot signed by v3; answers 401 itself. */
  readonly verified: RequestHandler;
  /** Whether HubSpot knows this app by that id. */
  readonly isOurApp: (appId: string) => boolean;
  /** What the user may, as on the settings site. */
  readonly readRights: (pool: Pool, portalId: PortalId, userId: UserId) => Promise<Rights | undefined>;
  /** Has HubSpot asked for the account's users, if that was not done lately; never fails. */
  readonly renewUserList: (portalId: PortalId) => void;
  /** What one account may have of the site and the tab together. */
  readonly share: AccountShare;
  /** Tells the workers that the portal has work; never fails. */
  readonly wake: (portalId: PortalId) => void;
  /** Told after a change: contacts that wait for a sender are to be looked at again. */
  readonly onChanged: (portalId: PortalId) => Promise<void>;
}

/** Who asks, and as what they may. */
type Admitted = Asker & { readonly role: AccountRole };

type Handler = (options: ExtensionOptions, asker: Admitted, exchange: Exchange) => Promise<void>;

interface Exchange {
  request: Request;
  response: Response;
}

/** `hubspot.fetch` gives up after 15 s and then asks once more (docs/hubspot.md §8.2). */
const TIMEOUT_MS = 5_000;

const REFUSAL_BY_OUTCOME: Readonly<Record<Exclude<SavePolicyOutcome, "saved">, RefusalCode>> = {
  "unknown-sender": "UNKNOWN_SENDER",
  "unknown-reader": "UNKNOWN_SENDER",
  "unknown-preset": "UNKNOWN_PRESET",
  // The tab does not decide who can send.
  "nobody-approved": "CHANGED_MEANWHILE",
  "changed-meanwhile": "CHANGED_MEANWHILE",
};

/**
 * What the settings tab inside HubSpot asks for, through HubSpot's signing proxy. JSON only; everything is read and
 * written for the portal in the signed query.
 *
 * | route below `/hubspot/settings` | |
 * | --- | --- |
 * | GET /overview | connection, pause, trouble, today's numbers |
 * | GET /defaults | default sender and preset, and what they can be set to |
 * | POST /pause | pauses (`{"isPaused": true}`) or resumes enrolling; answers with the overview |
 * | PUT or POST /defaults | saves both; 409 where somebody else saved meanwhile, with what is there now |
 */
export function createExtensionRouter(options: ExtensionOptions): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const guard = [options.verified, createAnswerLimit({ ms: TIMEOUT_MS })];
  const answer =
    (handler: Handler): RequestHandler =>
    async (request, response) => {
      response.set("Cache-Control", "no-store");
      const signal = endOf(response);
      const asker = readAsker(request);
      if (asker === undefined) return refuse(response, "IDENTITY_UNREADABLE");
      const leave = await options.share.enter(asker.portalId, signal);
      if (leave === undefined) return refuse(response, "TOO_MANY_REQUESTS");
      const own = { ...options, database: options.database.until(signal) };
      try {
        const role = await admit(own, asker, { request, response });
        if (role !== undefined) await handler(own, { ...asker, role }, { request, response });
      } finally {
        leave();
      }
    };
  router.get(`${EXTENSION_PREFIX}/overview`, ...guard, answer(sendOverview));
  router.get(`${EXTENSION_PREFIX}/defaults`, ...guard, answer(sendDefaults));
  router.put(`${EXTENSION_PREFIX}/defaults`, ...guard, answer(changeDefaults));
  router.post(`${EXTENSION_PREFIX}/defaults`, ...guard, answer(changeDefaults));
  router.post(`${EXTENSION_PREFIX}/pause`, ...guard, answer(changePause));
  return router;
}

/** Answers by itself, and with undefined, whoever is not let in. */
async function admit(
  { database, readRights, renewUserList, isOurApp }: ExtensionOptions,
  { portalId, userId, appId }: Asker,
  { request, response }: Exchange,
): Promise<AccountRole | undefined> {
  if (appId !== undefined && !isOurApp(appId)) {
    refuse(response, "OTHER_APP");
    return undefined;
  }
  const rights = await readRights(database.pool, portalId, userId);
  if (rights?.userList.isDue === true) renewUserList(portalId);
  const problem = problemOf(rights, request);
  if (problem === undefined) return rights?.role;
  refuse(response, problem);
  return undefined;
}

/** Nothing is changed by a list of admins that is more than a day old and can be read again. */
function problemOf(rights: Rights | undefined, { method }: Request): RefusalCode | undefined {
  if (rights === undefined) return "NOT_INSTALLED";
  if (rights.role === undefined) return "NOT_AN_ADMIN";
  if (rights.role === "viewer" && method !== "GET") return "VIEW_ONLY";
  return rights.userList.state === "stale" && method !== "GET" ? "ADMINS_UNCONFIRMED" : undefined;
}

async function sendOverview(
  options: ExtensionOptions,
  asker: Admitted,
  { response }: Exchange,
): Promise<void> {
  const overview = await readOverview(options, asker);
  if (overview === undefined) return refuse(response, "NOT_INSTALLED");
  response.json(overview);
}

async function sendDefaults(
  { database }: ExtensionOptions,
  { portalId }: Asker,
  { response }: Exchange,
): Promise<void> {
  response.json(await readDefaults(database, portalId));
}

async function changeDefaults(
  { database, onChanged }: ExtensionOptions,
  asker: Asker,
  { request, response }: Exchange,
): Promise<void> {
  const change = defaultsChange.safeParse(readBody(request.body));
  if (!change.success) return refuse(response, "INVALID_BODY");
  const outcome = await saveDefaults(database, asker, change.data);
  if (outcome !== "saved") return refuse(response, REFUSAL_BY_OUTCOME[outcome]);
  await onChanged(asker.portalId);
  response.json(await readDefaults(database, asker.portalId));
}

const pauseChange = z.object({ isPaused: z.boolean() });

/** Asking for what is already so changes nothing and succeeds: HubSpot's proxy repeats requests. */
async function changePause(options: ExtensionOptions, asker: Admitted, exchange: Exchange): Promise<void> {
  const change = pauseChange.safeParse(readBody(exchange.request.body));
  if (!change.success) return refuse(exchange.response, "INVALID_BODY");
  const { portalId, userId, userEmail = null } = asker;
  const actor = { kind: "hubspotTab", portalId, userId, userEmail } as const;
  await setPaused(options.database.pool, actor, change.data.isPaused);
  if (!change.data.isPaused) options.wake(portalId);
  await sendOverview(options, asker, exchange);
}

/** The signature check left the bytes as they came, and has refused what is nested too deep. */
function readBody(body: unknown): unknown {
  return Buffer.isBuffer(body) ? readStorableJson(body.toString("utf8")) : undefined;
}
