import type { Express } from "express";
import { recordSignIn } from "#domain/accounts/record-sign-in.js";
import { createConfirmRouter } from "#web/settings/alerts/confirm-address.js";
import { createUnsubscribeRouter } from "#web/settings/alerts/unsubscribe.js";
import type { SettingsOptions } from "#web/settings/session/site-options.js";
import { createSettingsRouter, createUploadRouter } from "#web/settings/settings-routes.js";
import { createSessions } from "#web/settings/session/session.js";
import { resumePortal } from "#domain/executions/resume.js";
import { AccountShare } from "#web/kit/account-share.js";
import { createAnswerLimit } from "#web/kit/answer-limit.js";
import { createCookies } from "#web/kit/cookies.js";
import { createSecurityHeaders } from "#web/kit/security-headers.js";
import { siteReserve } from "#platform/hubspot/pace/request-budget.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { createSiteGateways, type SiteGatewayOptions } from "#platform/hubspot/site-gateway.js";
import { uninstall } from "#platform/hubspot/oauth/uninstall.js";
import { removeBeforeDisconnect } from "#domain/unenroll/remove-from-hubspot.js";
import { createExplainer } from "#domain/dry-run/explain-enrollment.js";
import type { Explain } from "#domain/senders/explanation.js";
import { confirmUser } from "#domain/directory/confirm-user.js";
import { createConfirmSigner } from "#web/oauth/confirm-signer.js";
import { createOAuthRouter } from "#web/oauth/oauth-routes.js";
import { createInstallStates } from "#web/oauth/state.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import type { Database } from "#platform/db/client.js";
import type { SiteAccess } from "./api.js";
import { SITE_TIMEOUT_MS } from "./databases.js";
import type { Foundation } from "./foundation.js";
import { propertyLists } from "./property-lists.js";
import { userListRenewal } from "./renew-user-list.js";
import { mountExtension } from "./tab.js";

/** A part of SITE_TIMEOUT_MS: the rest is for deleting the portal's data ourselves. */
const UNINSTALL_TIMEOUT_MS = 3_000;
/** Of all requests that delete the helper workflow, before the uninstall and within the same answer. */
const REMOVAL_TIMEOUT_MS = 1_500;
/** A part of SITE_TIMEOUT_MS: the rest is for judging by stored data. */
const QUESTION_TIMEOUT_MS = 3_000;
/** A page takes some milliseconds: a person with several tabs, and colleagues, do not notice the limit. */
const PAGES_OF_AN_ACCOUNT = { inHand: 2, waiting: 20, patienceMs: 2_000 };
/** Until it has been read: the next one is requested when the first is there. */
const FILES_OF_AN_ACCOUNT = { inHand: 1, waiting: 0, patienceMs: 0 };

/** What tests of the pages alone put in the place of the app's own. */
export interface WebParts {
  readonly explain?: Explain;
}

/** The site's own connections, and its way to HubSpot: one for all of a process's pages and requests of the API. */
interface SiteWays extends SiteAccess {
  readonly takePlace: SiteGatewayOptions["takePlace"];
  /** For what is removed from HubSpot before a disconnect. */
  readonly removalGatewayOf: SiteAccess["gatewayOf"];
}

export function openSiteWays({ config, forPortal }: Foundation, database: Database): SiteWays {
  const { rateLimit } = config.hubspot;
  const takePlace: SiteWays["takePlace"] = (portalId, heldMs) =>
    takeSiteSlot(database.pool, { portalId, heldMs, limit: rateLimit, reserve: siteReserve(rateLimit) });
  return {
    database,
    takePlace,
    gatewayOf: createSiteGateways({ forPortal, timeoutMs: QUESTION_TIMEOUT_MS, takePlace }),
    removalGatewayOf: createSiteGateways({ forPortal, timeoutMs: REMOVAL_TIMEOUT_MS, takePlace }),
  };
}

/** @param database the site's own connections; installs and the work they wake use the others. */
export function mountSites(
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
  const onInstalled = async (portalId: PortalId): Promise<void> => {
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
        now: foundation.adjustments.senderClock,
        deadlineHours: config.executionDeadlineHours,
      }),
  };
  http.use(createUploadRouter(settings));
  http.use(["/settings", "/alerts"], createAnswerLimit({ ms: SITE_TIMEOUT_MS }));
  http.use(createUnsubscribeRouter({ database, cipher: foundation.cipher }));
  http.use(createConfirmRouter({ database, cipher: foundation.cipher, now }));
  http.use(createSettingsRouter(settings));
}
