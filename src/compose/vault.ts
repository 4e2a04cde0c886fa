import { recordConnection } from "#domain/accounts/record-connection.js";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { tellOfPortal } from "#domain/subscriptions/tell.js";
import { alertOfConnection } from "#domain/alerts/alert-of-connection.js";
import type { RefreshGrant } from "#domain/vault/grant.js";
import { AppError } from "../errors.js";
import type { Metrics } from "#platform/observability/metrics/metrics.js";
import { createVault, type Vault } from "#domain/vault/vault.js";
import type { Config } from "../config.js";
import type { Database } from "#platform/db/client.js";
import type { OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import type { Logger } from "#platform/observability/logger.js";

interface VaultParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly oauthApi: OAuthApi;
  readonly now: () => Date;
}

/** Counts refreshes by their result. */
function countedRefresh({ tokenRefreshes }: Metrics, refresh: RefreshGrant): RefreshGrant {
  return async (refreshToken) => {
    try {
      const grant = await refresh(refreshToken);
      tokenRefreshes.inc({ result: "refreshed" });
      return grant;
    } catch (error) {
      tokenRefreshes.inc({ result: error instanceof AppError ? error.code : "FAULT" });
      throw error;
    }
  };
}

/** The portals' grants: what else happens when one is saved or lost is told here. */
export function openVault({ config, logger, metrics, database, oauthApi, now }: VaultParts): Vault {
  return createVault({
    database,
    keys: config.encryptionKeys,
    refreshGrant: countedRefresh(metrics, (refreshToken) => oauthApi.refreshGrant(refreshToken)),
    now,
    logger,
    onOwnFault: (cause) => {
      metrics.ownFaults.inc({ cause });
    },
    revokeGrant: (refreshToken) => oauthApi.revokeGrant(refreshToken),
    onConnect: async (client, connection) => {
      await recordConnection(client, connection);
      await alertOfConnection(client, connection);
      if (connection.before?.status === "DISCONNECTED")
        await tellOfPortal(client, connection.portalId, { type: "portal.reconnected", data: {} });
    },
    onDisconnect: async (client, { portalId, reason }) => {
      await raiseAlert(client, { portalId, kind: "PORTAL_DISCONNECTED", message: reason });
      await tellOfPortal(client, portalId, { type: "portal.disconnected", data: { reason } });
    },
    mayTakeOver,
  });
}
