import express, { type Express } from "express";
import { readHoldSettings } from "#domain/senders/hold-settings.js";
import { createActionsRouter } from "#web/actions/action-routes.js";
import { verifiedByHubSpot } from "#web/actions/verified-request.js";
import { lookAgain } from "#web/settings/frame/look-again.js";
import { readRights } from "#domain/accounts/rights.js";
import { recordSignIn } from "#domain/accounts/record-sign-in.js";
import { createConfirmRouter } from "#web/settings/alerts/confirm-address.js";
import { createUnsubscribeRouter } from "#web/settings/alerts/unsubscribe.js";
import { LRUCache } from "lru-cache";
import type { ContactProperty, PortalGateway } from "#platform/hubspot/gateway.js";
import type { SettingsOptions } from "#web/settings/session/site-options.js";
import { createSettingsRouter, createUploadRouter } from "#web/settings/settings-routes.js";
import { createSessions } from "#web/settings/session/session.js";
import { ActionTypeNotes } from "#domain/flows/action-types.js";
import { requestFlows } from "#domain/flows/flow-state.js";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { readFirstAnswer } from "#domain/executions/accept/first-answer.js";
import { resumePortal } from "#domain/executions/resume.js";
import { createExtensionRouter } from "#web/tab/tab-routes.js";
import { AccountShare } from "#web/kit/account-share.js";
import { createAnswerLimit } from "#web/kit/answer-limit.js";
import { createCookies } from "#web/kit/cookies.js";
import { createErrorHandler, createNotFound } from "#web/kit/error-handler.js";
import { createRequestId } from "#web/kit/request-id.js";
import { createSecurityHeaders } from "#web/kit/security-headers.js";
import { createSecurityTxt } from "#web/kit/security-txt.js";
import { siteReserve } from "#platform/hubspot/pace/request-budget.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { createSiteGateways, type SiteGatewayOptions } from "#platform/hubspot/site-gateway.js";
import { uninstall } from "#platform/hubspot/uninstall.js";
import { removeBeforeDisconnect } from "#domain/unenroll/remove-from-hubspot.js";
import { createExplainer } from "#domain/dry-run/explain-enrollment.js";
import type { Explain } from "#domain/senders/explanation.js";
import { confirmUser } from "#domain/directory/confirm-user.js";
import { requestUserList } from "#domain/directory/user-list.js";
import { createConfirmSigner } from "#web/oauth/confirm-signer.js";
import { createOAuthRouter } from "#web/oauth/oauth-routes.js";
import { createInstallStates } from "#web/oauth/state.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import { ownFaultOf } from "#platform/queue/stopped-portals.js";
import { createHealthRouter } from "#platform/observability/health.js";
import { createMetricsRouter } from "#platform/observability/metrics/metrics-route.js";
import type { Database } from "#platform/db/client.js";
import { whyNotWritable } from "#platform/db/writable.js";
import { createApi, type SiteAccess } from "./api.js";
import { SITE_TIMEOUT_MS, type Foundation } from "./foundation.js";
import { traceCalls } from "./trace-work.js";
import { HOUR_MS } from "#platform/time/units.js";

/** Opening a dropdown renews a directory older than this. */
const DIRECTORY_MIN_AGE_MS = 60_000;
/** A part of it: the rest is for deleting the portal's data ourselves. */
const UNINSTALL_TIMEOUT_MS = 3_000;
/** Of all requests that delete the helper workflow, before the uninstall and within the same answer. */
const REMOVAL_TIMEOUT_MS = 1_500;
/** A part of it: the rest is for judging by stored data. */
const QUESTION_TIMEOUT_MS = 3_000;
/** A page takes some milliseconds: a person with several tabs, and colleagues, do not notice the limit. */
const PAGES_OF_AN_ACCOUNT = { inHand: 2, waiting: 20, patienceMs: 2_000 };
/**
 * A step in the workflow editor opens a few at once; each takes some milliseconds. They share the calls' connections.
 */
const DROPDOWNS_OF_AN_ACCOUNT = { inHand: 2, waiting: 20, patienceMs: 1_500 };
/** Until it has been read: the next one is requested when the first is there. */
const FILES_OF_AN_ACCOUNT = { inHand: 1, waiting: 0, patienceMs: 0 };

/** Routes of the hot path first, before any middleware they do not need. */
function mountActions(http: Express, foundation: Foundation): void {
  const { config, logger, database, directory, metrics, wake } = foundation;
  const accept = createAcceptor({
    pool: database.pool,
    deadlineHours: config.executionDeadlineHours,
    onStored: wake,
  });
  const actionTypes = openActionTypes(foundation);
  const { withTrace, ...traced } = traceCalls(foundation.tracing);
  http.use(
    createActionsRouter({
      ...traced,
      onActionType: (portalId, kind, definition) => {
        actionTypes.heard(portalId, kind, definition);
      },
      accept: async (execution) => {
        const begunMs = performance.now();
        try {
          const result = await accept(withTrace(execution));
          metrics.accepted.inc({ result });
          metrics.acceptSeconds.observe((performance.now() - begunMs) / 1_000);
          return result;
        } catch (error) {
          metrics.accepted.inc({ result: "failed" });
          throw error;
        }
      },
      applyChanges: (changes) => applyContactChanges(database.pool, changes),
      wake,
      readHoldSettings: (portalId) => readHoldSettings(database.pool, portalId),
      readFirstAnswer: (call) => readFirstAnswer(database.pool, call),
      database,
      dropdowns: new AccountShare(DROPDOWNS_OF_AN_ACCOUNT),
      clientSecrets: config.hubspot.clientSecrets,
      publicUrl: config.publicUrl,
      nowMs: Date.now,
      logger,
      onBadV3: tellOfBadV3({ metrics, logger }),
      onRefused: (reason) => {
        metrics.signaturesRefused.inc({ reason });
      },
      onOptionsAsked: (portalId) => {
        directory
          .requestSync(portalId, { minAgeMs: DIRECTORY_MIN_AGE_MS })
          .then((isAsked) => {
            if (isAsked) wake(portalId);
          })
          .catch((error: unknown) => {
            logger.warn({ err: error, portalId }, "a directory sync could not be asked for");
          });
      },
    }),
  );
}

/** Learns HubSpot's numbers of our actions; with a new one the workflows of the portal that called are read again. */
function openActionTypes({ logger, database: { pool }, wake }: Foundation): ActionTypeNotes {
  return new ActionTypeNotes({
    pool,
    onNew: (portalId) => {
      requestFlows(pool, portalId, { minAgeMs: 0 })
        .then((isAsked) => {
          if (isAsked) wake(portalId);
        })
        .catch((error: unknown) => {
          logger.warn({ err: error, portalId }, "a reading of the workflows could not be asked for");
        });
    },
    onFault: (error) => {
      logger.warn(
        { err: error },
        "HubSpot's number of an action could not be stored; the next call brings it again",
      );
    },
  });
}

/** Each is counted; the log mentions it once an hour, because either all calls are affected or none. */
function tellOfBadV3({ metrics, logger }: Pick<Foundation, "metrics" | "logger">): (path: string) => void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (path) => {
    metrics.badV3Signatures.inc();
    if (performance.now() - toldAtMs < HOUR_MS) return;
    toldAtMs = performance.now();
    logger.warn(
      { path },
      "a call from HubSpot was accepted by its v2 signature, while its v3 does not match",
    );
  };
}

/** The site's own connections, and its way to HubSpot: one for all of a process's pages and requests of the API. */
interface SiteWays extends SiteAccess {
  readonly takePlace: SiteGatewayOptions["takePlace"];
  /** For what is removed from HubSpot before a disconnect. */
  readonly removalGatewayOf: SiteAccess["gatewayOf"];
}

function openSiteWays({ config, forPortal }: Foundation, database: Database): SiteWays {
  const { rateLimit } = config.hubspot;
  const takePlace: SiteWays["takePlace"] = (portalId, heldMs) =>
    takeSiteSlot(database.pool, { portalId, heldMs, limit: rateLimit, reserve: siteReserve(rateLimit) });
  return {
    ...{ database, takePlace },
    gatewayOf: createSiteGateways({ forPortal, timeoutMs: QUESTION_TIMEOUT_MS, takePlace }),
    removalGatewayOf: createSiteGateways({ forPortal, timeoutMs: REMOVAL_TIMEOUT_MS, takePlace }),
  };
}

/** @param database the site's own connections; installs and the work they wake use the others. */
function mountSites(
  http: Express,
  foundation: Foundation,
  { database, gatewayOf, removalGatewayOf, takePlace, explain }: WebParts & SiteWays,
): void {
  const { config, logger, oauthApi, vault, wake, finishLater, now } = foundation;
  const cookies = createCookies({ publicUrl: config.publicUrl });
  const sessions = createSessions({ secrets: config.sessionSecrets, cookies, now });
  const states = createInstallStates({
    secrets: config.sessionSecrets,
    database: foundation.database,
    cookies,
    now,
  });
  const { appUrl } = config.hubspot;
  const onInstalled = async (portalId: bigint): Promise<void> => {
    const rest = await resumePortal(foundation.database.pool, portalId)();
    if (rest !== undefined) finishLater(portalId, rest);
    wake(portalId);
  };
  http.use(createSecurityHeaders({ publicUrl: config.publicUrl }));
  const confirmSigner = createConfirmSigner({
    apiUrl: config.hubspot.apiUrl,
    takePlace,
    gatewayOf,
    onAnswer: foundation.onAnswer,
    confirmUser: (confirmed) => confirmUser(foundation.database.pool, confirmed),
  });
  http.use(
    createOAuthRouter({
      oauthApi,
      vault,
      states,
      sessions,
      appUrl,
      confirmSigner,
      onInstalled,
      logger,
      recordSignIn: (signIn) => recordSignIn(foundation.database.pool, signIn),
    }),
  );
  const shares = {
    pages: new AccountShare(PAGES_OF_AN_ACCOUNT),
    files: new AccountShare(FILES_OF_AN_ACCOUNT),
  };
  mountExtension(http, foundation, { database, share: shares.pages });
  const settings: SettingsOptions = {
    database,
    sessions,
    shares,
    cookies,
    scopes: { required: REQUIRED_SCOPES, optional: OPTIONAL_SCOPES },
    appUrl,
    privateDestinations: config.privateDestinations,
    canMail: config.mail !== undefined,
    supportContact: config.supportContact,
    uninstall: (portalId) =>
      uninstall(
        {
          apiUrl: config.hubspot.apiUrl,
          accessTokenFor: (id) => vault.accessTokenFor(id),
          timeoutMs: UNINSTALL_TIMEOUT_MS,
        },
        portalId,
      ),
    removeHelper: (portalId) =>
      removeBeforeDisconnect({ pool: database.pool, gateway: removalGatewayOf(portalId) }, portalId).catch(
        (error: unknown) => {
          logger.warn(
            { err: error, portalId },
            "the helper workflow could not be deleted before a disconnect",
          );
        },
      ),
    vault,
    now,
    renewUserList: userListRenewal(foundation),
    cipher: foundation.cipher,
    wake,
    finishLater,
    segmentsOf: gatewayOf,
    contactProperties: propertyLists({ gatewayOf, logger }),
    explain:
      explain ??
      createExplainer({
        pool: database.pool,
        directory: foundation.directory,
        gatewayOf,
        now: foundation.senderClock,
        deadlineHours: config.executionDeadlineHours,
      }),
  };
  http.use(createUploadRouter(settings));
  http.use(["/settings", "/alerts"], createAnswerLimit({ ms: SITE_TIMEOUT_MS }));
  http.use(createUnsubscribeRouter({ database, cipher: foundation.cipher }));
  http.use(createConfirmRouter({ database, cipher: foundation.cipher, now }));
  http.use(createSettingsRouter(settings));
}

/** More accounts than look at the forms within PROPERTIES_FRESH_MS. */
const MOST_PROPERTY_LISTS = 200;
/** People make properties while they build a workflow. */
const PROPERTIES_FRESH_MS = 60_000;

/** An account's contact properties, read from HubSpot while somebody fills in a form. */
function propertyLists({
  gatewayOf,
  logger,
}: {
  gatewayOf: (portalId: bigint) => PortalGateway;
  logger: Foundation["logger"];
}): SettingsOptions["contactProperties"] {
  const known = new LRUCache<bigint, readonly ContactProperty[]>({
    max: MOST_PROPERTY_LISTS,
    ttl: PROPERTIES_FRESH_MS,
  });
  return async (portalId) => {
    const fresh = known.get(portalId);
    if (fresh !== undefined) return fresh;
    try {
      const listed = await gatewayOf(portalId).listContactProperties();
      known.set(portalId, listed);
      return listed;
    } catch (error) {
      logger.info({ err: error, portalId }, "the contact properties could not be listed for a form");
      return undefined;
    }
  };
}

/** Alongside the page or the answer: nobody waits for it. */
function userListRenewal({ database, logger, wake }: Foundation): (portalId: bigint) => void {
  return (portalId) => {
    requestUserList(database.pool, portalId)
      .then((isAsked) => {
        if (isAsked) wake(portalId);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error, portalId }, "a reading of the user list could not be asked for");
      });
  };
}

/** The settings tab inside HubSpot. */
function mountExtension(
  http: Express,
  foundation: Foundation,
  { database, share }: { database: Database; share: AccountShare },
): void {
  const { config, logger, wake, finishLater, appId } = foundation;
  http.use(
    createExtensionRouter({
      database,
      share,
      verified: verifiedByHubSpot(
        {
          clientSecrets: config.hubspot.clientSecrets,
          publicUrl: config.publicUrl,
          nowMs: Date.now,
          logger,
        },
        ["v3"],
      ),
      isOurApp: (id) => {
        appId.heard(id);
        return id === appId.value;
      },
      readRights,
      renewUserList: userListRenewal(foundation),
      wake,
      onChanged: (portalId) => lookAgain({ database, wake, finishLater }, portalId),
      requiredScopes: REQUIRED_SCOPES,
      siteUrl: `${config.publicUrl}/settings`,
      now: foundation.now,
    }),
  );
}

/** What tests of the pages alone put in the place of the app's own. */
export interface WebParts {
  readonly explain?: Explain;
}

/** The HTTP app of a process: what its role serves. */
export function createHttp(foundation: Foundation, parts: WebParts = {}): Express {
  const { config, logger, database, siteDatabase, metrics } = foundation;
  const http = express();
  http.disable("x-powered-by");
  http.disable("etag");
  http.set("query parser", "simple");
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
