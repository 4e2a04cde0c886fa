import type { Config } from "../config.js";
import type { Database } from "#platform/db/client.js";
import type { EmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { TroubleLog } from "#platform/db/trouble-log.js";
import { waitForDatabase } from "#platform/db/wait-for-database.js";
import type { Slices } from "#domain/executions/slices.js";
import { UnfinishedChanges } from "#domain/executions/unfinished.js";
import { createDirectory, type Directory } from "#domain/directory/directory.js";
import { createAppId, type AppId } from "#platform/hubspot/app-id.js";
import { LearnedHubSpotClock, tellOfDifference, type HubSpotClock } from "#platform/hubspot/hubspot-clock.js";
import type { Intervals } from "#worker/schedule.js";
import { createTransport, type OnAnswer } from "#platform/hubspot/transport.js";
import { routeTemplate } from "#platform/hubspot/wire/route-template.js";
import { createOAuthApi, type OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import { CALLBACK_PATH } from "#web/oauth/oauth-routes.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { createMetrics, type Metrics } from "#platform/observability/metrics/metrics.js";
import type { Tracing } from "#platform/observability/tracing/tracing.js";
import { openDrainQueue, type DrainQueue } from "#platform/queue/drain-queue.js";
import { unlessStopped } from "#platform/time/orderly-stop.js";
import { createWakeSoon } from "#platform/queue/wake-soon.js";
import { createCipher, type Cipher } from "#domain/vault/cipher.js";
import type { Vault } from "#domain/vault/vault.js";
import type { EntryTimes } from "#worker/flow-entries/stamp-entries.js";
import type { Unenrolling } from "#worker/unenroll/unenroll-tools.js";
import type { Closers } from "./closers.js";
import { openDatabaseOf, openSiteDatabase, type DatabaseEvents } from "./databases.js";
import { addGauges } from "./gauges.js";
import { openVault } from "./vault.js";
import { traceRequests } from "./trace-work.js";

const WAKE_INTERVAL_MS = 25;

/** Everything the modules are wired from. */
export interface Foundation {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  /** The same database through separate connections, for pages; undefined if the process serves no pages. */
  readonly siteDatabase: Database | undefined;
  /** Database problems the operator has to fix, from all of the process's connections. */
  readonly databaseTroubles: Pick<TroubleLog, "recent">;
  readonly queue: DrainQueue;
  readonly metrics: Metrics;
  /** Undefined: no traces are kept. */
  readonly tracing: Tracing | undefined;
  readonly directory: Directory;
  readonly appId: AppId;
  readonly oauthApi: OAuthApi;
  readonly vault: Vault;
  /** Seals a portal's other secrets. */
  readonly cipher: Cipher;
  /** Sends a portal's requests to HubSpot, with its token and at the given pace. */
  readonly forPortal: ReturnType<typeof createTransport>;
  /** Counts an answer from HubSpot to a transport that is made elsewhere. */
  readonly onAnswer: OnAnswer;
  /** Has something closed with the process, before what was opened earlier. */
  readonly onClose: (close: () => Promise<void>) => void;
  /** Wakes a portal soon, combining repeated wakes; never fails. */
  readonly wake: (portalId: PortalId) => void;
  /** Takes over the rest of a change of many waiting contacts; never fails. */
  readonly finishLater: (portalId: PortalId, rest: Slices) => void;
  /** The clock of the settings site, sessions and HubSpot's tokens: the machine's, except in tests. */
  readonly now: () => Date;
  readonly hubspotClock: HubSpotClock;
  readonly adjustments: Adjustments;
}

/** What tests have otherwise than production, which leaves all of it undefined. */
export interface Adjustments {
  /** The clock of send windows, away dates and sender caps; otherwise the database's. */
  readonly senderClock?: (() => Date) | undefined;
  /** How long a call's contact properties are used. */
  readonly propertiesFreshMs?: number | undefined;
  /** How long an attempt that an old copy of the directory would refuse waits for the new one. */
  readonly renewalPatienceMs?: number | undefined;
  /** How long HubSpot may take to show an enrollment (worker/attempt/doubt.ts). */
  readonly believeNoneAfterMs?: number | undefined;
  /** How long putting contacts in workflows takes (worker/flow-entries/stamp-entries.ts). */
  readonly entryTimes?: EntryTimes | undefined;
  /** How unenrolling goes, and how long it takes (worker/unenroll). */
  readonly unenrolling?: Unenrolling | undefined;
  /** How often periodic work runs. */
  readonly workIntervals?: Intervals | undefined;
}

async function openQueueOf(
  { config, logger, stopping }: FoundationOptions,
  closers: Closers,
  { database, databaseTroubles }: { database: Database; databaseTroubles: TroubleLog },
): Promise<DrainQueue> {
  const queueOptions = {
    databaseUrl: database.url,
    logger,
    applicationName: `sequence-enroller-queue`,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    onFault: databaseTroubles.report,
  };
  const opening = waitForDatabase(() => openDrainQueue(queueOptions), { logger, stopping });
  try {
    return await unlessStopped(opening, stopping);
  } catch (error) {
    // It may still open.
    closers.add(async () => (await opening.catch(() => undefined))?.stop({ graceMs: 0 }));
    throw error;
  }
}

/** Learns HubSpot's clock from its answers, and warns the operator if ours differs. */
function openHubSpotClock(metrics: Metrics, logger: Logger): LearnedHubSpotClock {
  const tell = tellOfDifference((aheadMs) => {
    logger.warn(
      { hubspotAheadSeconds: Math.round(aheadMs / 1_000) },
      "this machine's clock and HubSpot's differ; check that this machine's clock is synchronized",
    );
  });
  return new LearnedHubSpotClock({
    onOffset: (aheadMs) => {
      metrics.hubspotClockAhead.set(Math.round(aheadMs / 100) / 10);
      tell(aheadMs);
    },
  });
}

/** What exists before anything is opened. */
interface FoundationOptions extends Pick<Foundation, "config" | "logger"> {
  readonly adjustments?: Adjustments;
  readonly tracing?: Tracing | undefined;
  readonly now?: Foundation["now"];
  /** The embedded server, if it is already starting. */
  readonly server?: Promise<EmbeddedPostgres> | undefined;
  /** Ends the waits of the start. */
  readonly stopping?: AbortSignal | undefined;
}

/** Opens the database and the queue, and creates what every module is wired from. */
export async function createFoundation(options: FoundationOptions, closers: Closers): Promise<Foundation> {
  const { config, logger, now = () => new Date() } = options;
  const metrics = createMetrics();
  const databaseTroubles = new TroubleLog({
    logger,
    onTrouble: (cause) => {
      metrics.ownFaults.inc({ cause });
    },
  });
  const eventsOf = (pool: string): DatabaseEvents => ({
    onFault: databaseTroubles.report,
    onPoolWait: (waitedMs) => {
      metrics.poolWaitSeconds.observe({ pool }, waitedMs / 1_000);
    },
  });
  const database = await openDatabaseOf(options, closers, eventsOf("work"));
  const siteDatabase = openSiteDatabase(options, database, eventsOf("site"));
  closers.add(async () => siteDatabase?.close());
  const appId = createAppId({ configured: config.hubspot.appId, logger });
  const oauthApi = createOAuthApi({
    onAppId: (id) => {
      appId.heard(id);
    },
    clientId: config.hubspot.clientId,
    clientSecrets: config.hubspot.clientSecrets,
    apiUrl: config.hubspot.apiUrl,
    appUrl: config.hubspot.appUrl,
    redirectUri: config.publicUrl + CALLBACK_PATH,
  });
  const hubspotClock = openHubSpotClock(metrics, logger);
  const vault = openVault({ config, logger, metrics, database, oauthApi, now });
  const { stopping } = options;
  await unlessStopped(
    waitForDatabase(() => vault.checkSeals(), { logger, stopping }),
    stopping,
  );
  const queue = await openQueueOf(options, closers, { database, databaseTroubles });
  addGauges(metrics, { config, database, siteDatabase, queue });
  const wake = createWakeSoon({
    wake: (portalIds) => queue.wake(portalIds),
    intervalMs: WAKE_INTERVAL_MS,
    onFault: (fault) => {
      logger.warn({ err: fault }, "portals could not be woken; the sweep will find their work");
    },
  });
  const unfinished = new UnfinishedChanges({ wake, logger });
  closers.add(() => unfinished.stop());
  const onAnswer: OnAnswer = ({ method, path, httpStatus, date, durationMs }) => {
    if (date !== undefined) hubspotClock.answered(date);
    const route = routeTemplate(path);
    metrics.hubspotRequests.inc({ method, route, status: String(httpStatus) });
    metrics.hubspotSeconds.observe({ route }, durationMs / 1_000);
  };
  return {
    config,
    logger,
    now,
    hubspotClock,
    adjustments: options.adjustments ?? {},
    database,
    siteDatabase,
    databaseTroubles,
    queue,
    appId,
    oauthApi,
    metrics,
    tracing: options.tracing,
    directory: createDirectory({ pool: database.pool }),
    vault,
    cipher: createCipher(config.encryptionKeys),
    forPortal: createTransport({
      apiUrl: config.hubspot.apiUrl,
      accessTokenFor: (portalId) => vault.accessTokenFor(portalId),
      renewAfterRefusal: (portalId, refused) => vault.renewAfterRefusal(portalId, refused),
      onAnswer,
      ...traceRequests(options.tracing),
      onNoAnswer: ({ path, reason }) => {
        metrics.hubspotUnanswered.inc({ route: routeTemplate(path), reason });
      },
    }),
    onAnswer,
    onClose: (close) => {
      closers.add(close);
    },
    wake,
    finishLater: (portalId, rest) => {
      unfinished.add(portalId, rest);
    },
  };
}
