import { randomBytes, randomInt } from "node:crypto";
import { createServer } from "node:net";
import { startApp, type App } from "../../src/app.js";
import { createBrowser, installByBrowser, type Browser } from "../../src/bin/oauth-browser.js";
import { readConfig, type Config } from "../../src/config.js";
import type { Intervals } from "#worker/schedule.js";
import { createLogger } from "#platform/observability/logger.js";
import { openTracing } from "#platform/observability/tracing/open-tracing.js";
import type { Tracing } from "#platform/observability/tracing/tracing.js";
import {
  FEATURE_SCOPES,
  OPTIONAL_SCOPES,
  REQUIRED_SCOPES,
  type Feature,
} from "#platform/hubspot/oauth/scopes.js";
import type { SimulatorOptions } from "../../src/simulator/world/options.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { UNKIND_WORLD } from "../../src/simulator/world/presets.js";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.js";
import { createTestDatabase, type TestDatabase } from "./database.js";
import type { EntryTimes } from "#worker/flow-entries/stamp-entries.js";
import type { Unenrolling } from "#worker/unenroll/unenroll-tools.js";

/** The app, a simulated HubSpot and a database of their own, talking HTTP on 127.0.0.1. */
export interface RunningApp {
  readonly publicUrl: string;
  readonly config: Config;
  /** What it was configured by. */
  readonly environment: Readonly<Record<string, string>>;
  readonly simulator: Simulator;
  readonly db: TestDatabase;
  /** Lines the app logged, parsed. */
  readonly logLines: Record<string, unknown>[];
  /** Installs by the real OAuth round trip, as the portal's admin. The browser is signed in afterward. */
  install(portal: SimulatedPortal, feature?: Feature): Promise<Browser>;
  /** Stops the app itself; simulator and database stay. */
  stop(): Promise<void>;
  /** Starts a further process-like instance on the same database. */
  startAnother(environment?: Record<string, string>): Promise<App>;
  close(): Promise<void>;
}

export interface StartOptions {
  simulator?: Partial<SimulatorOptions>;
  environment?: Record<string, string>;
  /** The clock of send windows and caps; by default the machine's. */
  senderClock?: () => Date;
  /** How long properties that a call carried decide; by default as in production. */
  propertiesFreshMs?: number;
  /** How long what an old copy of the directory would refuse waits for the new one; by default as in production. */
  renewalPatienceMs?: number;
  /** How long HubSpot may take to show what it did, in ms; by default it shows it at once. */
  believeNoneAfterMs?: number;
  /** How unenrolling goes, and how long it takes; by default as in production. */
  unenrolling?: Unenrolling;
  /** How long putting contacts in workflows takes; by default as in production. */
  entryTimes?: EntryTimes;
  /** How often periodic work is done; by default as {@link WORK_INTERVALS} says. */
  workIntervals?: Intervals;
}

/** The unkind world, with shorter lags: HubSpot shows everything within four seconds, instead of within two minutes. */
export const UNKIND_BUT_QUICK = {
  simulator: { ...UNKIND_WORLD, lookupLagMs: 500, propertyLagMs: 2_000 },
  believeNoneAfterMs: 4_000,
} satisfies StartOptions;

/** Tests change rows beside the app, of which nobody tells it: it looks for such work more often than in life. */
const WORK_INTERVALS: Intervals = {
  wakeDuePortals: 250,
  wakeOverduePortals: 500,
  workBulkJobs: 200,
  eraseHistories: 300,
  revokeGrants: 300,
  sendAlerts: 250,
  sendConfirmations: 250,
};

/** Below the ports that systems give to connections of their own: such a one could take ours before we listen. */
const PORTS = { from: 20_000, to: 32_000 };

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => {
      resolve(false);
    });
    probe.listen(port, "127.0.0.1", () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

export async function startRunningApp(options: StartOptions = {}): Promise<RunningApp> {
  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const secret = randomBytes(16).toString("hex");
  const simulator = await startSimulator({
    clientId: "test-client",
    clientSecrets: [secret],
    appId: "170",
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: [...OPTIONAL_SCOPES, ...Object.values(FEATURE_SCOPES).flat()],
    ...options.simulator,
  });
  const db = await createTestDatabase();
  const environment = {
    NODE_ENV: "development",
    DATABASE_URL: db.url,
    PORT: String(port),
    PUBLIC_URL: publicUrl,
    HUBSPOT_CLIENT_ID: "test-client",
    HUBSPOT_CLIENT_SECRET: secret,
    HUBSPOT_APP_ID: "170",
    API_RATE_LIMIT: "100000",
    HUBSPOT_API_URL: simulator.url,
    HUBSPOT_APP_URL: simulator.url,
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
    SESSION_SECRET: "a-session-secret-for-tests-only-0123456789",
    ...options.environment,
  };
  const logLines: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "info",
    destination: { write: (line: string) => void logLines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const config = readConfig(environment);
  const { senderClock, propertiesFreshMs, renewalPatienceMs, believeNoneAfterMs = 0 } = options;
  const workIntervals = { ...WORK_INTERVALS, ...options.workIntervals };
  const appOptions = {
    ...(senderClock && { senderClock }),
    propertiesFreshMs,
    renewalPatienceMs,
    believeNoneAfterMs,
    entryTimes: options.entryTimes,
    unenrolling: options.unenrolling,
    workIntervals,
  };
  const tracings: (Tracing | undefined)[] = [];
  const withTracing = async (of: Config) => {
    const tracing = await openTracing({ endpoint: of.tracesEndpoint, version: "0", role: of.role });
    tracings.push(tracing);
    return { tracing };
  };
  const apps: App[] = [await startApp(config, logger, { ...appOptions, ...(await withTracing(config)) })];
  return {
    publicUrl,
    config,
    environment,
    simulator,
    db,
    logLines,
    async install(portal, feature) {
      const browser = createBrowser();
      const admin = { portalId: portal.portalId, userId: portal.admin.userId };
      await installByBrowser({
        publicUrl,
        browser,
        consent: (url) => simulator.authorize(url, admin),
        feature,
      });
      return browser;
    },
    async stop() {
      await apps.shift()?.close({ graceMs: 1_000 });
    },
    async startAnother(further = {}) {
      const otherConfig = readConfig({ ...environment, PORT: "0", ...further });
      const another = await startApp(otherConfig, logger, {
        believeNoneAfterMs,
        workIntervals,
        ...(await withTracing(otherConfig)),
      });
      apps.push(another);
      return another;
    },
    async close() {
      for (const app of apps.reverse()) await app.close({ graceMs: 1_000 });
      for (const tracing of tracings) await tracing?.close();
      await simulator.close();
      await db.drop();
    },
  };
}

/** A portal whose senders' inboxes are their sign-in addresses, as most are. */
export function addPlainPortal(
  simulator: Simulator,
  seed: Parameters<Simulator["addPortal"]>[0] = {},
): SimulatedPortal {
  const portal = simulator.addPortal(seed);
  for (const user of portal.users.values()) user.inboxAddress = user.email;
  return portal;
}
