import { createMailer } from "#domain/alerts/mailer.js";
import { createWebhookPoster } from "#domain/alerts/webhook-post.js";
import { OverdueLooks } from "#domain/executions/overdue.js";
import { recallStranded } from "#domain/executions/stranded.js";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import { createDrain } from "#worker/drain/drain-portal.js";
import { applyLateFates } from "#worker/sweeps/apply-late-fates.js";
import { eraseHistories } from "#worker/sweeps/erase-history.js";
import { startPeriodic } from "#worker/sweeps/periodic.js";
import { pruneHistory } from "#worker/sweeps/prune-history.js";
import { resealEveryWebhook } from "#worker/sweeps/reseal-webhooks.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { sendDueConfirmations } from "#worker/sweeps/send-confirmations.js";
import { workBulkJobs } from "#worker/sweeps/work-bulk-jobs.js";
import { requestOldUserLists } from "#domain/directory/user-list.js";
import { findUnusedGrants, tellOfFixedUserLists, useGrants } from "#worker/sweeps/watch-idle-portals.js";
import { watchBacklogs, watchFailures, watchOwnFaults } from "#worker/sweeps/watch-portals.js";
import { findDuePortals, findOverduePortals, hasQueuedWork } from "#worker/sweeps/wake-due-portals.js";
import { type Closers, type Foundation } from "./foundation.js";

/** Requests to HubSpot under way at once, besides those that hang; each on a connection of its own. */
const HUBSPOT_REQUESTS = 256;
/** Portals one process drains at a time, besides those that only wait for HubSpot. */
const DRAIN_CAPACITY = 300;

/** Begins to drain portals, and the periodic work. */
export function startWorker(foundation: Foundation, closers: Closers): void {
  const {
    config,
    logger,
    database,
    queue,
    directory,
    forPortal,
    wake,
    workIntervals: intervals,
  } = foundation;
  const drain = createDrain({
    pool: database.pool,
    directory,
    logger,
    rateLimit: config.hubspot.rateLimit,
    gate: createFairGate({ places: HUBSPOT_REQUESTS }),
    forPortal,
    now: foundation.senderClock,
    propertiesFreshMs: foundation.propertiesFreshMs,
    renewalPatienceMs: foundation.renewalPatienceMs,
    hubspotClock: foundation.hubspotClock,
    believeNoneAfterMs: foundation.believeNoneAfterMs,
    onCutShort: (holds) => {
      foundation.metrics.holdsCutShort.inc(holds);
    },
  });
  queue.work(drain, {
    capacity: DRAIN_CAPACITY,
    hasWork: (portalId) => hasQueuedWork(database.pool, portalId),
  });
  closers.add(
    startPeriodic({
      intervalMs: intervals.sweepMs,
      work: async () => {
        (await findDuePortals(database.pool)).forEach(wake);
      },
      onFault: (fault) => {
        logger.warn({ fault }, "the sweep for due portals failed");
      },
    }),
  );
  const overdueLooks = new OverdueLooks(database.pool);
  closers.add(
    startPeriodic({
      intervalMs: intervals.overdueMs,
      work: async () => {
        (await findOverduePortals(database.pool, overdueLooks)).forEach(wake);
      },
      onFault: (fault) => {
        logger.warn({ fault }, "the sweep for overdue portals failed");
      },
    }),
  );
  closers.add(
    startPeriodic({
      intervalMs: intervals.recallMs,
      work: async () => {
        const recalled = await recallStranded(database.pool);
        if (recalled > 0) logger.warn({ recalled }, "executions were due only after the end of their hold");
      },
      onFault: (fault) => {
        logger.warn({ fault }, "the look for stranded executions failed");
      },
    }),
  );
  let isEnding = false;
  const stopPruning = startPeriodic({
    intervalMs: intervals.pruneMs,
    work: async () => {
      await resealEveryWebhook({ pool: database.pool, cipher: foundation.cipher, logger });
      await pruneHistory({ pool: database.pool, logger, isEnding: () => isEnding });
    },
    onFault: (fault) => {
      logger.warn({ fault }, "old executions could not be deleted; trying again later");
    },
  });
  const stopBulkWork = startPeriodic({
    intervalMs: intervals.bulkMs,
    work: () =>
      workBulkJobs({
        ...{ pool: database.pool, wake, isEnding: () => isEnding },
        onFailed: (fault) => {
          logger.warn({ fault, ...fault.job, isForGood: fault.isForGood }, "a step of a bulk job failed");
        },
      }),
    onFault: (fault) => {
      logger.warn({ fault }, "bulk jobs could not be worked on; trying again");
    },
  });
  closers.add(async () => {
    isEnding = true;
    await Promise.all([stopPruning(), stopBulkWork()]);
  });
  const stopErasing = startPeriodic({
    intervalMs: intervals.eraseMs,
    work: () => eraseHistories({ pool: database.pool, logger, isEnding: () => isEnding }),
    onFault: (fault) => {
      logger.warn({ fault }, "a history could not be erased; trying again");
    },
  });
  closers.add(() => {
    isEnding = true;
    return stopErasing();
  });
  closers.add(
    startPeriodic({
      intervalMs: intervals.fatesMs,
      work: async () => {
        (await applyLateFates(database.pool, logger)).forEach(wake);
      },
      onFault: (fault) => {
        logger.warn(
          { fault },
          "contacts that HubSpot erased or merged could not be looked for again; trying again",
        );
      },
    }),
  );
  startRevoking(foundation, closers);
  startWatching(foundation, closers);
  const poster = createWebhookPoster(config.privateDestinations);
  closers.add(() => poster.close());
  const mailer = config.mail === undefined ? undefined : createMailer(config.mail);
  closers.add(() => Promise.resolve(mailer?.close()));
  const { publicUrl } = config;
  const delivery = { pool: database.pool, poster, mailer, cipher: foundation.cipher, publicUrl, logger };
  closers.add(
    startPeriodic({
      intervalMs: intervals.sweepMs,
      work: () => sendDueAlerts(delivery),
      onFault: (fault) => {
        logger.warn({ fault }, "alerts could not be sent");
      },
    }),
  );
  closers.add(
    startPeriodic({
      intervalMs: intervals.sweepMs,
      work: () => sendDueConfirmations(delivery),
      onFault: (fault) => {
        logger.warn({ fault }, "mails that ask to confirm an address could not be sent");
      },
    }),
  );
}

/** Tells HubSpot which grants are not used any more. */
function startRevoking({ vault, logger, workIntervals: intervals }: Foundation, closers: Closers): void {
  closers.add(
    startPeriodic({
      intervalMs: intervals.revokeMs,
      work: () => vault.revokeGivenUp(),
      onFault: (fault) => {
        logger.warn({ fault }, "grants that are not used any more could not be revoked; trying again");
      },
    }),
  );
}

/** Looks for what portals are to be alerted of, and for what changed in HubSpot of those at rest. */
function startWatching(
  { database, vault, logger, wake, workIntervals: intervals }: Foundation,
  closers: Closers,
): void {
  const { pool } = database;
  const works = [
    { name: "failures", intervalMs: intervals.watchMs, work: () => watchFailures({ pool, logger }) },
    { name: "backlogs", intervalMs: intervals.watchMs, work: () => watchBacklogs({ pool, logger }) },
    { name: "own faults", intervalMs: intervals.watchMs, work: () => watchOwnFaults({ pool, logger }) },
    {
      ...{ name: "fixed user lists", intervalMs: intervals.watchMs },
      work: () => tellOfFixedUserLists({ pool, logger }),
    },
    {
      ...{ name: "old user lists", intervalMs: intervals.idleMs },
      work: async () => (await requestOldUserLists(pool)).forEach(wake),
    },
    {
      ...{ name: "unused grants", intervalMs: intervals.idleMs },
      work: async () => useGrants(await findUnusedGrants(pool), (id) => vault.accessTokenFor(id)),
    },
  ];
  for (const { name, intervalMs, work } of works) {
    closers.add(
      startPeriodic({
        ...{ intervalMs, work },
        onFault: (fault) => {
          logger.warn({ fault, name }, "portals could not be watched");
        },
      }),
    );
  }
}
