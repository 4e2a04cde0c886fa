import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import { createMailer } from "./alerts/mailer.js";
import { raiseAlert } from "./alerts/outbox.js";
import { createWebhookPoster } from "./alerts/webhook-post.js";
import { readHoldSettings } from "./actions/requested-hold.js";
import { createActionsRouter } from "./actions/routes.js";
import { verifiedByHubSpot } from "./actions/verified-request.js";
import { createSettingsRouter } from "./admin/routes.js";
import { createSessions } from "./admin/session.js";
import type { Config } from "./config.js";
import { openDatabase, type Database } from "./db/client.js";
import { startEmbeddedPostgres } from "./db/embedded-postgres.js";
import { applyMigrations } from "./db/migrate.js";
import { createDirectory, type Directory } from "./directory/directory.js";
import { createAcceptor } from "./executions/accept.js";
import { applyContactChanges } from "./executions/contact-changes.js";
import { readFirstAnswer } from "./executions/first-answer.js";
import { resumePortal } from "./executions/resume.js";
import { admitSuperAdmins } from "./extension/administer.js";
import { createExtensionRouter } from "./extension/routes.js";
import { createAnswerLimit } from "./http/answer-limit.js";
import { createCookies } from "./http/cookies.js";
import { createErrorHandler, createNotFound } from "./http/error-handler.js";
import { createRequestId } from "./http/request-id.js";
import { createSecurityHeaders } from "./http/security-headers.js";
import { createOAuthApi, type OAuthApi } from "./hubspot/oauth-api.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "./hubspot/scopes.js";
import { createFairGate } from "./hubspot/fair-gate.js";
import { createTransport } from "./hubspot/transport.js";
import { HUBSPOT_CONNECTIONS, tuneFetch } from "./hubspot/tune-fetch.js";
import { uninstall } from "./hubspot/uninstall.js";
import { createDrain } from "./jobs/drain-portal.js";
import { eraseHistories } from "./jobs/erase-history.js";
import { startPeriodic } from "./jobs/periodic.js";
import { pruneHistory } from "./jobs/prune-history.js";
import { sendDueAlerts } from "./jobs/send-alerts.js";
import { workBulkJobs } from "./jobs/work-bulk-jobs.js";
import { watchBacklogs, watchFailures } from "./jobs/watch-portals.js";
import { findDuePortals, findOverduePortals, hasQueuedWork } from "./jobs/wake-due-portals.js";
import { CALLBACK_PATH, createOAuthRouter } from "./oauth/routes.js";
import { createInstallStates } from "./oauth/state.js";
import { createSenderExplainer } from "./policy/explain-sender.js";
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
const SWEEP_INTERVAL_MS = 2_000;
/** Deadlines are days away: finding one passed is not urgent, and looking is not free. */
const OVERDUE_INTERVAL_MS = 4_000;
const PRUNE_INTERVAL_MS = 15 * 60_000;
/** A person is watching the progress. */
const BULK_INTERVAL_MS = 1_000;
/** Alerts tell of hours and days: a minute's delay is nothing to them. */
const WATCH_INTERVAL_MS = 60_000;
const WAKE_INTERVAL_MS = 25;
/** A dropdown that is opened renews a directory older than this. */
const DIRECTORY_MIN_AGE_MS = 60_000;
const DEFAULT_GRACE_MS = 12_000;
/** Answers take a second at most; a connection still busy after this is not ours to wait for. */
const ANSWER_GRACE_MS = 3_000;
/** Longer than any page takes while the database is well. */
const SETTINGS_TIMEOUT_MS = 5_000;
/** A part of it: the rest is for forgetting the portal ourselves. */
const UNINSTALL_TIMEOUT_MS = 3_000;
const ERASE_INTERVAL_MS = 3_000;
/** More connections than HubSpot opens; each may hold one unverified body in memory. */
const MAX_CONNECTIONS = 2_000;
/** A whole request has to be in by then. */
const REQUEST_TIMEOUT_MS = 15_000;

/** What a test may change of a running app. */
export interface AppOptions {
  /** The clock of send windows, away dates and sender caps. */
  readonly senderClock?: () => Date;
}

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
  readonly senderClock: () => Date;
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

async function lay(
  { config, logger, senderClock }: Pick<Foundation, "config" | "logger" | "senderClock">,
  closers: Closers,
): Promise<Foundation> {
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
    senderClock,
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
      applyChanges: (changes) => applyContactChanges(database.pool, changes),
      wake,
      readHoldSettings: (portalId) => readHoldSettings(database.pool, portalId),
      readFirstAnswer: (call) => readFirstAnswer(database.pool, call),
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
  mountExtension(http, foundation);
  http.use("/settings", createAnswerLimit({ ms: SETTINGS_TIMEOUT_MS }));
  http.use(
    createSettingsRouter({
      database,
      sessions,
      cookies,
      scopes: { required: REQUIRED_SCOPES, optional: OPTIONAL_SCOPES },
      appUrl,
      allowInternalWebhooks: allowsInternalWebhooks(config),
      canMail: config.mail !== undefined,
      uninstall: (portalId) =>
        uninstall(
          {
            apiUrl: config.hubspot.apiUrl,
            accessTokenFor: (id) => vault.accessTokenFor(id),
            timeoutMs: UNINSTALL_TIMEOUT_MS,
          },
          portalId,
        ),
      forgetPortal: (portalId, reason) => vault.disconnect(portalId, reason),
      now,
      wake,
      explain: createSenderExplainer(database),
    }),
  );
}

/** The settings tab inside HubSpot. */
function mountExtension(http: Express, { config, database, logger }: Foundation): void {
  http.use(
    createExtensionRouter({
      database,
      verified: verifiedByHubSpot(
        {
          clientSecrets: config.hubspot.clientSecrets,
          publicUrl: config.publicUrl,
          nowMs: Date.now,
          logger,
        },
        ["v3"],
      ),
      mayAdminister: admitSuperAdmins(database.pool),
      requiredScopes: REQUIRED_SCOPES,
      siteUrl: `${config.publicUrl}/settings`,
      now: () => new Date(),
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
    now: foundation.senderClock,
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
  const stopBulkWork = startPeriodic({
    intervalMs: BULK_INTERVAL_MS,
    work: () => workBulkJobs({ pool: database.pool, wake, isEnding: () => isEnding }),
    onFault: (fault) => {
      logger.warn({ fault }, "a bulk job could not be worked on; trying again");
    },
  });
  closers.add(async () => {
    isEnding = true;
    await Promise.all([stopPruning(), stopBulkWork()]);
  });
  const stopErasing = startPeriodic({
    intervalMs: ERASE_INTERVAL_MS,
    work: () => eraseHistories({ pool: database.pool, isEnding: () => isEnding }),
    onFault: (fault) => {
      logger.warn({ fault }, "a history could not be erased; trying again");
    },
  });
  closers.add(() => {
    isEnding = true;
    return stopErasing();
  });
  startWatching(foundation, closers);
  const poster = createWebhookPoster({ allowInternal: allowsInternalWebhooks(config) });
  closers.add(() => poster.close());
  const mailer = config.mail === undefined ? undefined : createMailer(config.mail);
  closers.add(() => Promise.resolve(mailer?.close()));
  closers.add(
    startPeriodic({
      intervalMs: SWEEP_INTERVAL_MS,
      work: () => sendDueAlerts({ pool: database.pool, poster, mailer, publicUrl: config.publicUrl, logger }),
      onFault: (fault) => {
        logger.warn({ fault }, "alerts could not be sent");
      },
    }),
  );
}

/** Looks for what portals are to be alerted of. */
function startWatching({ database, logger }: Foundation, closers: Closers): void {
  const { pool } = database;
  for (const [name, work] of Object.entries({ failures: watchFailures, backlogs: watchBacklogs })) {
    closers.add(
      startPeriodic({
        intervalMs: WATCH_INTERVAL_MS,
        work: () => work(pool),
        onFault: (fault) => {
          logger.warn({ fault, name }, "portals could not be watched for alerts");
        },
      }),
    );
  }
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

/**
 * The composition root: opens the database and the queue, wires the rooms, listens, and begins to work. The only place
 * that knows every room.
 *
 * @throws ConfigError's siblings of the database room when it cannot be opened; nothing is left running then.
 */
export async function startApp(config: Config, logger: Logger, options: AppOptions = {}): Promise<App> {
  const closers = new Closers();
  let graceMs = DEFAULT_GRACE_MS;
  try {
    closers.add(tuneFetch(config.hubspot));
    const { senderClock = () => new Date() } = options;
    const foundation = await lay({ config, logger, senderClock }, closers);
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
