import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { createSettingsRouter } from "#web/settings/routes.js";
import { createSessions, type Sessions } from "#web/settings/session/session.js";
import { recordSignIn } from "#domain/accounts/record-sign-in.js";
import { mayTakeOver } from "#domain/accounts/rights.js";
import type { EncryptionKey } from "../../src/config.js";
import type { Database } from "#platform/db/client.js";
import { toTheEnd } from "#domain/executions/slices.js";
import { AccountShare } from "#web/kit/account-share.js";
import { createCookies } from "#web/kit/cookies.js";
import { createErrorHandler, createNotFound } from "#web/kit/error-handler.js";
import { createRequestId } from "#web/kit/request-id.js";
import { createSecurityHeaders } from "#web/kit/security-headers.js";
import { createOAuthApi, type OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import { createSiteGateways, type SiteGatewayOptions } from "#platform/hubspot/site-gateway.js";
import { siteReserve } from "#platform/hubspot/pace/request-budget.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { confirmUser } from "#domain/directory/confirm-user.js";
import { createDirectory } from "#domain/directory/directory.js";
import { createExplainer } from "#domain/dry-run/explain-enrollment.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { uninstall } from "#platform/hubspot/uninstall.js";
import { createLogger } from "#platform/observability/logger.js";
import { createConfirmSigner } from "#web/oauth/confirm-signer.js";
import { CALLBACK_PATH, createOAuthRouter } from "#web/oauth/routes.js";
import { createInstallStates } from "#web/oauth/state.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import type { Explain } from "#domain/senders/explanation.js";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createVault, type Vault } from "#domain/vault/vault.js";
import { createBrowser, type Browser } from "./browser.js";
import { createTestDatabase } from "./database.js";

export const CLIENT = { clientId: "client-of-the-tests", clientSecret: "secret-of-the-tests", appId: "4242" };
export const SESSION_SECRET = "a session secret of the tests, long enough";
export const KEYS: readonly [EncryptionKey, ...EncryptionKey[]] = [{ id: "k1", key: Buffer.alloc(32, 1) }];

/** The OAuth routes and the settings site on a real port, with a real database and the simulator behind them. */
export interface Site {
  url: string;
  database: Database;
  simulator: Simulator;
  vault: Vault;
  sessions: Sessions;
  oauthApi: OAuthApi;
  /** Portals whose directory sync was woken, in order. */
  installed: bigint[];
  /** Portals an admin gave work to, in order. */
  woken: bigint[];
  /** Every log line so far. */
  logLines: string[];
  clock: { now: Date };
  browser(): Browser;
  close(): Promise<void>;
}

export interface SiteOptions {
  publicUrl?: string;
  /** `host:port` that webhooks may reach though they are private. */
  privateDestinations?: ReadonlySet<string>;
  /** Happens between HubSpot's answer to an uninstall and what the site does then. */
  afterUninstall?: () => Promise<void>;
  /** Instead of the app's own answer to "what would happen?". */
  explain?: Explain;
}

export async function startSite({ publicUrl, ...options }: SiteOptions = {}): Promise<Site> {
  const server = createServer();
  const url = await listen(server);
  const clock = { now: new Date() };
  const simulator = await startSimulator({
    clientId: CLIENT.clientId,
    clientSecrets: [CLIENT.clientSecret],
    appId: CLIENT.appId,
    redirectUris: [url + CALLBACK_PATH],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
    recordRequests: true,
  });
  const { database, drop } = await createTestDatabase();
  const logLines: string[] = [];
  const logger = createLogger({
    level: "debug",
    destination: { write: (line: string) => void logLines.push(line) },
  });
  const oauthApi = createOAuthApi({
    clientId: CLIENT.clientId,
    clientSecrets: [CLIENT.clientSecret],
    apiUrl: simulator.url,
    appUrl: simulator.url,
    redirectUri: url + CALLBACK_PATH,
  });
  const now = () => clock.now;
  const vault = createVault({
    database,
    keys: KEYS,
    refreshGrant: oauthApi.refreshGrant,
    now,
    logger,
    revokeGrant: (token) => oauthApi.revokeGrant(token),
    mayTakeOver,
  });
  const cookies = createCookies({ publicUrl: publicUrl ?? url });
  const sessions = createSessions({ secret: SESSION_SECRET, cookies, now });
  const states = createInstallStates({ secret: SESSION_SECRET, database, cookies, now });
  const installed: bigint[] = [];
  const woken: bigint[] = [];
  const onInstalled = (portalId: bigint) => Promise.resolve(void installed.push(portalId));
  const app = express().disable("x-powered-by");
  app.use(createRequestId(), createSecurityHeaders({ publicUrl: publicUrl ?? url }));
  const scopes = { required: REQUIRED_SCOPES, optional: OPTIONAL_SCOPES };
  const { privateDestinations = new Set<string>() } = options;
  const forPortal = createTransport({
    apiUrl: simulator.url,
    accessTokenFor: (portalId) => vault.accessTokenFor(portalId),
    renewAfterRefusal: (portalId, refused) => vault.renewAfterRefusal(portalId, refused),
  });
  const takePlace: SiteGatewayOptions["takePlace"] = (portalId, heldMs) =>
    takeSiteSlot(database.pool, { portalId, heldMs, limit: 110, reserve: siteReserve(110) });
  const gatewayOf = createSiteGateways({ forPortal, timeoutMs: 2_000, takePlace });
  const confirmSigner = createConfirmSigner({
    apiUrl: simulator.url,
    takePlace,
    gatewayOf,
    confirmUser: (confirmed) => confirmUser(database.pool, confirmed),
  });
  app.use(
    createOAuthRouter({
      oauthApi,
      vault,
      states,
      sessions,
      confirmSigner,
      onInstalled,
      logger,
      recordSignIn: (signIn) => recordSignIn(database.pool, signIn),
      appUrl: simulator.url,
    }),
  );
  app.use(
    createSettingsRouter({
      database,
      sessions,
      cookies,
      scopes,
      privateDestinations,
      now,
      shares: {
        pages: new AccountShare({ inHand: 2, waiting: 20, patienceMs: 2_000 }),
        files: new AccountShare({ inHand: 1, waiting: 0, patienceMs: 0 }),
      },
      appUrl: simulator.url,
      wake: (portalId) => void woken.push(portalId),
      renewUserList: () => undefined,
      cipher: createCipher(KEYS),
      finishLater: (_portalId, rest) => void toTheEnd(rest),
      explain:
        options.explain ??
        createExplainer({
          pool: database.pool,
          directory: createDirectory({ pool: database.pool }),
          gatewayOf,
          now,
          deadlineHours: 144,
        }),
      canMail: true,
      uninstall: async (portalId) => {
        const accessTokenFor = (id: bigint) => vault.accessTokenFor(id);
        const outcome = await uninstall(
          { apiUrl: simulator.url, accessTokenFor, timeoutMs: 2_000 },
          portalId,
        );
        await options.afterUninstall?.();
        return outcome;
      },
      vault,
    }),
  );
  app.use(createNotFound(), createErrorHandler({ logger }));
  server.on("request", app);
  return {
    url,
    database,
    simulator,
    vault,
    sessions,
    oauthApi,
    installed,
    woken,
    logLines,
    clock,
    browser: () => createBrowser(url),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await simulator.close();
      await drop();
    },
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}

/** Installs the app into a portal from this browser, as its first super admin, and ends signed in on the settings page. */
export async function install(site: Site, browser: Browser, portalId: number): Promise<void> {
  const start = await browser.get("/oauth/install");
  await browser.get(site.simulator.authorize(start.location ?? "", { portalId }));
}

/**
 * Lets whoever installed the app use the site, also once the user list is known and does not have them: for tests that
 * make up a user list without its super admins.
 */
export async function letInstallersIn({ pool }: Pick<Database, "pool">): Promise<void> {
  // What HubSpot said of the installers alone would be a person more in such a list.
  await pool.query("DELETE FROM users WHERE is_read_alone");
  await pool.query(
    `INSERT INTO portal_admins (portal_id, user_id) SELECT portal_id, authorized_by_user_id FROM portals
     ON CONFLICT DO NOTHING`,
  );
}
