import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { Closers } from "../../src/compose/closers.js";
import { createFoundation, type Foundation } from "../../src/compose/foundation.js";
import { createHttp } from "../../src/compose/web.js";
import { readConfig, type Config, type EncryptionKey } from "../../src/config.js";
import type { Explain } from "#domain/senders/explanation.js";
import type { Vault } from "#domain/vault/vault.js";
import type { Database } from "#platform/db/client.js";
import type { OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { createLogger } from "#platform/observability/logger.js";
import { CALLBACK_PATH } from "#web/oauth/oauth-routes.js";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.js";
import { createBrowser, type Browser } from "./browser.js";
import { createTestDatabase } from "./database.js";

export const CLIENT = { clientId: "client-of-the-tests", clientSecret: "secret-of-the-tests", appId: "4242" };
export const SESSION_SECRET = digestOf("session");
export const KEYS: readonly [EncryptionKey, ...EncryptionKey[]] = [
  { id: "k1", key: Buffer.from(digestOf("key"), "base64") },
];

/** 32 bytes in base64, as an operator would make them at random. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** All that a process of the role `web` serves, composed as in production, on a real port before a real database and the simulator. */
export interface Site {
  url: string;
  database: Database;
  simulator: Simulator;
  vault: Vault;
  oauthApi: OAuthApi;
  /** Portals that were to be looked at soon, in order. No worker runs here. */
  woken: bigint[];
  /** Every log line so far. */
  logLines: string[];
  /** What the site takes for now; it stands still. */
  clock: { now: Date };
  browser(): Browser;
  close(): Promise<void>;
}

export interface SiteOptions {
  publicUrl?: string;
  /** `host:port` that webhooks may reach though they are private. */
  privateDestinations?: ReadonlySet<string>;
  /** What the site stands on, with a part changed. */
  change?: (foundation: Foundation) => Foundation;
  /** Instead of the app's own answer to "what would happen?". */
  explain?: Explain;
}

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const server = createServer();
  const url = await listen(server);
  const { publicUrl = url } = options;
  const clock = { now: new Date() };
  const now = () => clock.now;
  const simulator = await startSimulator({
    clientId: CLIENT.clientId,
    clientSecrets: [CLIENT.clientSecret],
    appId: CLIENT.appId,
    redirectUris: [publicUrl + CALLBACK_PATH],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
    recordRequests: true,
  });
  const { url: databaseUrl, database, drop } = await createTestDatabase();
  const logLines: string[] = [];
  const logger = createLogger({
    level: "debug",
    destination: { write: (line: string) => void logLines.push(line) },
  });
  const config = siteConfig({ publicUrl, databaseUrl, hubspotUrl: simulator.url, options });
  const closers = new Closers();
  const foundation = await createFoundation(
    { config, logger, now, adjustments: { senderClock: now } },
    closers,
  );
  const woken: bigint[] = [];
  const changed = options.change?.(foundation) ?? foundation;
  const wake = (portalId: bigint) => void woken.push(portalId);
  server.on(
    "request",
    createHttp({ ...changed, wake }, { ...(options.explain && { explain: options.explain }) }),
  );
  const { vault, oauthApi } = foundation;
  return {
    url,
    database,
    simulator,
    vault,
    oauthApi,
    woken,
    logLines,
    clock,
    browser: () => createBrowser(url),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await foundation.queue.stop({ graceMs: 0 });
      await closers.run(logger);
      await simulator.close();
      await drop();
    },
  };
}

function siteConfig({
  publicUrl,
  databaseUrl,
  hubspotUrl,
  options: { privateDestinations = new Set() },
}: {
  publicUrl: string;
  databaseUrl: string;
  hubspotUrl: string;
  options: SiteOptions;
}): Config {
  return readConfig({
    NODE_ENV: "development",
    ROLE: "web",
    DATABASE_URL: databaseUrl,
    PUBLIC_URL: publicUrl,
    HUBSPOT_CLIENT_ID: CLIENT.clientId,
    HUBSPOT_CLIENT_SECRET: CLIENT.clientSecret,
    HUBSPOT_APP_ID: CLIENT.appId,
    API_RATE_LIMIT: "100000",
    HUBSPOT_API_URL: hubspotUrl,
    HUBSPOT_APP_URL: hubspotUrl,
    ENCRYPTION_KEYS: KEYS.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(","),
    SESSION_SECRET,
    SMTP_URL: "smtp://127.0.0.1:9",
    MAIL_FROM: "alerts@enroller.example",
    SUPPORT_CONTACT: "help@operator.example",
    PRIVATE_DESTINATIONS: [...privateDestinations].join(","),
  });
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
