import type { Express } from "express";
import { verifiedByHubSpot } from "#web/actions/verified-request.js";
import { lookAgain } from "#web/settings/frame/look-again.js";
import { readRights } from "#domain/accounts/rights.js";
import { createExtensionRouter } from "#web/tab/tab-routes.js";
import type { AccountShare } from "#web/kit/account-share.js";
import { REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import type { Database } from "#platform/db/client.js";
import type { Foundation } from "./foundation.js";
import { userListRenewal } from "./renew-user-list.js";

/** The settings tab inside HubSpot. */
export function mountExtension(
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
        { versions: ["v3"] },
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
