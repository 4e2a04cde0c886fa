import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from "undici";
import { raiseAlert } from "./alerts/outbox.js";
import { createWebhookPoster } from "./alerts/webhook-post.js";
import { createActionsRouter } from "./actions/routes.js";
import { createSettingsRouter } from "./admin/routes.js";
import { createSessions } from "./admin/session.js";
import type { Config } from "./config.js";
import { openDatabase, type Database } from "./db/client.js";
import { startEmbeddedPostgres } from "./db/embedded-postgres.js";
import { applyMigrations } from "./db/migrate.js";
import { createDirectory, type Directory } from "./directory/directory.js";
import { createAcceptor } from "./executions/accept.js";
import { resumePortal } from "./executions/resume.js";
import { createAnswerLimit } from "./http/answer-limit.js";
import { createCookies } from "./http/cookies.js";
import { createErrorHandler, createNotFound } from "./http/error-handler.js";
import { createRequestId } from "./http/request-id.js";
import { createSecurityHeaders } from "./http/security-headers.js";
import { createOAuthApi, type OAuthApi } from "./hubspot/oauth-api.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "./hubspot/scopes.js";
import { createFairGate } from "./hubspot/fair-gate.js";
import { createTransport } from "./hubspot/transport.js";
import { createDrain } from "./jobs/drain-portal.js";
import { startPeriodic } from "./jobs/periodic.js";
import { pruneHistory } from "./jobs/prune-history.js";
import { sendDueAlerts } from "./jobs/send-alerts.js";
import { findDuePortals, findOverduePortals, hasQueuedWork } from "./jobs/wake-due-portals.js";
import { CALLBACK_PATH, createOAuthRouter } from "./oauth/routes.js";
import { createInstallStates } from "./oauth/state.js";
import { createHealthRouter } from "./observability/health.js";
import type { Logger } from "./observability/logger.js";
import { createMetrics, createMetricsRouter, type Metrics } from "./observability/metrics.js";
import { openDrainQueue, type DrainQueue } from "./queue/drain-queue.js";
import { createWakeSoon } from "./queue/wake-soon.js";
import { createVault, type Vault } from "./vault/vault.js";

/** The running app. */
export interface App {
  /** Where it listens; with `PORT=0` the port the system chose. A worker listens too, for health and metrics. */
  readonly address: AddressInfo;
  /** Stops taking calls, lets work under way finish for up to `graceMs`, closes what was opened, last first. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/** Connections of one process to PostgreSQL, besides the queue's few. */
const POOL_SIZE = 16;
/** Portals one process drains at a time. */
const DRAIN_CAPACITY = 300;
/** HubSpot answers within seconds or not usefully; its own edge gives up after 100 s (dossier §6). */
const HUBSPOT_TIMEOUT_MS = 15_000;
/** Requests to HubSpot under way at once, each on a connection of its own. */
const HUBSPOT_CONNECTIONS = 256;
const SWEEP_INTERVAL_MS = 2_000;
/** Deadlines are days away: finding one passed is not urgent, and looking is not free. */
const OVERDUE_INTERVAL_MS = 4_000;
const PRUNE_INTERVAL_MS = 15 * 60_000;
const WAKE_INTERVAL_MS = 25;
/** A dropdown that is opened renews a directory older than this. */
const DIRECTORY_MIN_AGE_MS = 60_000;
const DEFAULT_GRACE_MS = 12_000;
/** Answers take a second at most; a connection still busy after this is not ours to wait for. */
const ANSWER_GRACE_MS = 3_000;
/** Longer than any page takes while the database is well. */
const SETTINGS_TIMEOUT_MS = 5_000;
/** More connections than HubSpot opens; each may hold one unverified body in memory. */
const MAX_CONNECTIONS = 2_000;
/** A whole request has to be in by then. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Everything the rooms are wired from. */
interface Foundation {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  readonly queue: DrainQueue;
  readonly metrics: Metrics;
  readonly directory: Directory;
  readonly oauthApi: OAuthApi;
  readonly vault: Vault;
  /** Wakes a portal soon, folding repeated wakes; never fails. */
  readonly wake: (portalId: bigint) => void;
}

/** Whoever opens something puts its close here; closing runs last in, first out, and goes on past failures. */
class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async run(logger: Logger): Promise<void> {
    for (const close of this.#closers.reverse()) {
      await close().catch((fault: unknown) => {
        logger.error({ fault }, "something could not be closed");
      });
    }
  }
}

async function openDatabaseOf(config: Config, logger: Logger, closers: Closers): Promise<Database> {
  let url = config.databaseUrl;
  if (url === undefined) {
    const server = await startEmbeddedPostgres({ dataDir: config.dataDir, logger });
    closers.add(() => server.stop());
    ({ url } = server);
  }
  await applyMigrations({ url, logger });
  const applicationName = `sequence-enroller-${config.role}`;
  const database = openDatabase({ url, applicationName, poolSize: POOL_SIZE, logger });
  closers.add(() => database.close());
  return database;
}

async function lay(config: Config, logger: Logger, closers: Closers): Promise<Foundation> {
  const database = await openDatabaseOf(config, logger, closers);
  const queue = await openDrainQueue({
    databaseUrl: database.url,
    logger,
    applicationName: `sequence-enroller-queue`,
  });
  const oauthApi = createOAuthApi({
    clientId: config.hubspot.clientId,
    clientSecrets: config.hubspot.clientSecrets,
    apiUrl: config.hubspot.apiUrl,
    appUrl: config.hubspot.appUrl,
    redirectUri: config.publicUrl + CALLBACK_PATH,
  });
  return {
    config,
    logger,
    database,
    queue,
    oauthApi,
    metrics: createMetrics(),
    directory: createDirectory({ pool: database.pool }),
    vault: createVault({
      database,
      keys: config.encryptionKeys,
      refreshGrant: (refreshToken) => oauthApi.refreshGrant(refreshToken),
      now: () => new Date(),
      logger,
      onDisconnect: (client, { portalId, reason }) =>
        raiseAlert(client, { portalId, kind: "PORTAL_DISCONNECTED", message: reason }),
    }),
    wake: createWakeSoon({
      wake: (portalIds) => queue.wake(portalIds),
      intervalMs: WAKE_INTERVAL_MS,
      onFault: (fault) => {
        logger.warn({ fault }, "portals could not be woken; the sweep will find their work");
      },
    }),
  };
}

/** Routes of the hot path first, before any middleware they do not need. */
function mountActions(
  http: Express,
  { config, logger, database, directory, metrics, wake }: Foundation,
): void {
  const accept = createAcceptor({
    pool: database.pool,
    deadlineHours: config.executionDeadlineHours,
    onStored: wake,
  });
  http.use(
    createActionsRouter({
      accept: async (execution) => {
        try {
          const result = await accept(execution);
          metrics.accepted.inc({ result });
          return result;
        } catch (fault) {
          metrics.accepted.inc({ result: "failed" });
          throw fault;
        }
      },
      pool: database.pool,
      clientSecrets: config.hubspot.clientSecrets,
      publicUrl: config.publicUrl,
      nowMs: Date.now,
      logger,
      onOptionsAsked: (portalId) => {
        directory
          .requestSync(portalId, { minAgeMs: DIRECTORY_MIN_AGE_MS })
          .then((isAsked) => {
            if (isAsked) wake(portalId);
          })
          .catch((fault: unknown) => {
            logger.warn({ fault, portalId }, "a directory sync could not be asked for");
          });
      },
    }),
  );
}

/** Alerts may go to this machine only where the app itself is not reachable from the internet: in development. */
function allowsInternalWebhooks({ publicUrl }: Config): boolean {
  return !publicUrl.startsWith("https:");
}

function mountSites(http: Express, foundation: Foundation): void {
  const { config, logger, database, oauthApi, vault, wake } = foundation;
  const now = (): Date => new Date();
  const cookies = createCookies({ publicUrl: config.publicUrl });
  const sessions = createSessions({ secret: config.sessionSecret, cookies, now });
  const states = createInstallStates({ secret: config.sessionSecret, database, cookies, now });
  const { appUrl } = config.hubspot;
  const onInstalled = async (portalId: bigint): Promise<void> => {
    await resumePortal(database.pool, portalId);
    wake(portalId);
  };
  http.use(createSecurityHeaders({ publicUrl: config.publicUrl }));
  http.use(createOAuthRouter({ oauthApi, vault, states, sessions, appUrl, onInstalled, logger }));
  http.use("/settings", createAnswerLimit({ ms: SETTINGS_TIMEOUT_MS }));
  http.use(
    createSettingsRouter({
      database,
      sessions,
      cookies,
      scopes: { required: REQUIRED_SCOPES, optional: OPTIONAL_SCOPES },
      appUrl,
      allowInternalWebhooks: allowsInternalWebhooks(config),
      now,
    }),
  );
}

function createHttp(foundation: Foundation): Express {
  const { config, logger, database, metrics } = foundation;
  const http = express();
  http.disable("x-powered-by");
  http.disable("etag");
  http.set("query parser", "simple");
  http.use(createRequestId());
  if (config.role !== "worker") mountActions(http, foundation);
  http.use(
    createHealthRouter({
      database: () => database.pool.query("SELECT 1"),
      queue: () => foundation.queue.probe(),
    }),
  );
  http.use(createMetricsRouter({ registry: metrics.registry, token: config.metricsToken }));
  if (config.role !== "worker") mountSites(http, foundation);
  http.use(createNotFound());
  http.use(createErrorHandler({ logger }));
  return http;
}

async function startWorker(foundation: Foundation, closers: Closers): Promise<void> {
  const { config, logger, database, queue, directory, vault, metrics, wake } = foundation;
  const forPortal = createTransport({
    apiUrl: config.hubspot.apiUrl,
    accessTokenFor: (portalId) => vault.accessTokenFor(portalId),
    renewAfterRefusal: (portalId, refused) => vault.renewAfterRefusal(portalId, refused),
    onAnswer: ({ method, httpStatus }) => {
      metrics.hubspotRequests.inc({ method, status: String(httpStatus) });
    },
  });
  const drain = createDrain({
    pool: database.pool,
    directory,
    logger,
    rateLimit: config.hubspot.rateLimit,
    gate: createFairGate({ places: HUBSPOT_CONNECTIONS }),
    forPortal,
  });
  await queue.work(drain, {
    capacity: DRAIN_CAPACITY,
    hasWork: (portalId) => hasQueuedWork(database.pool, portalId),
  });
  closers.add(
    startPeriodic({
      intervalMs: SWEEP_INTERVAL_MS,
      work: async () => {
        (await findDuePortals(database.pool)).forEach(wake);
      },
      onFault: (fault) => {
        logger.warn({ fault }, "the sweep for due portals failed");
      },
    }),
  );
  closers.add(
    startPeriodic({
      intervalMs: OVERDUE_INTERVAL_MS,
      work: async () => {
        (await findOverduePortals(database.pool)).forEach(wake);
      },
      onFault: (fault) => {
        logger.warn({ fault }, "the sweep for overdue portals failed");
      },
    }),
  );
  let isEnding = false;
  const stopPruning = startPeriodic({
    intervalMs: PRUNE_INTERVAL_MS,
    work: async () => {
      await pruneHistory({ pool: database.pool, logger, isEnding: () => isEnding });
    },
    onFault: (fault) => {
      logger.warn({ fault }, "old executions could not be deleted; trying again later");
    },
  });
  closers.add(() => {
    isEnding = true;
    return stopPruning();
  });
  const poster = createWebhookPoster({ allowInternal: allowsInternalWebhooks(config) });
  closers.add(() => poster.close());
  closers.add(
    startPeriodic({
      intervalMs: SWEEP_INTERVAL_MS,
      work: () => sendDueAlerts({ pool: database.pool, poster, publicUrl: config.publicUrl, logger }),
      onFault: (fault) => {
        logger.warn({ fault }, "alerts could not be sent");
      },
    }),
  );
}

async function listen(http: Express, { host, port }: { host: string; port: number }): Promise<Server> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    http,
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return server;
}

/** Stops taking connections and waits for the answers under way, but not for a client that never finishes. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, ANSWER_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** HubSpot's client uses the platform's fetch, which takes its timeouts and its connection pool from the dispatcher. */
function tuneFetch(): () => Promise<void> {
  const before = getGlobalDispatcher();
  const agent = new Agent({
    connect: { timeout: 5_000 },
    headersTimeout: HUBSPOT_TIMEOUT_MS,
    bodyTimeout: HUBSPOT_TIMEOUT_MS,
    connections: HUBSPOT_CONNECTIONS,
  });
  setGlobalDispatcher(agent);
  return () => {
    if (getGlobalDispatcher() === agent) setGlobalDispatcher(before);
    return agent.close();
  };
}

/**
 * The composition root: opens the database and the queue, wires the rooms, listens, and begins to work. The only place
 * that knows every room.
 *
 * @throws ConfigError's siblings of the database room when it cannot be opened; nothing is left running then.
 */
export async function startApp(config: Config, logger: Logger): Promise<App> {
  const closers = new Closers();
  let graceMs = DEFAULT_GRACE_MS;
  try {
    closers.add(tuneFetch());
    const foundation = await lay(config, logger, closers);
    closers.add(() => foundation.queue.stop({ graceMs }));
    if (config.role !== "web") await startWorker(foundation, closers);
    const server = await listen(createHttp(foundation), config);
    closers.add(() => closeServer(server));
    const address = server.address() as AddressInfo;
    return {
      address,
      close: async (options) => {
        graceMs = options?.graceMs ?? DEFAULT_GRACE_MS;
        await closers.run(logger);
      },
    };
  } catch (fault) {
    await closers.run(logger);
    throw fault;
  }
}
