import type { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import { followNew } from "#domain/ends/follow-new.js";
import { recallStranded } from "#domain/executions/overdue/stranded.js";
import { IDLE_INTERVAL_MS, requestOldUserLists } from "#domain/directory/user-list.js";
import { requestOldFlows } from "#domain/flows/flow-state.js";
import { tellEnds } from "#domain/subscriptions/tell-ends.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { applyLateFates } from "./sweeps/apply-late-fates.js";
import { endPauses } from "./sweeps/end-pauses.js";
import { eraseHistories } from "./sweeps/erase-history.js";
import { pruneHistory } from "./sweeps/prune-history.js";
import { readJournal, type ReadJournalOptions } from "./sweeps/read-journal.js";
import { resealEveryWebhook } from "./sweeps/reseal-webhooks.js";
import { followDatabaseClock, type DatabaseClock } from "./sweeps/database-clock.js";
import { sendDueAlerts, type SendAlertsOptions } from "./sweeps/send-alerts.js";
import { raiseDigests } from "./sweeps/raise-digests.js";
import { sendDueConfirmations } from "./sweeps/send-confirmations.js";
import { findDuePortals, findOverduePortals } from "./sweeps/wake-due-portals.js";
import { findUnusedGrants, tellOfFixedUserLists, useGrants } from "./sweeps/watch-idle-portals.js";
import type { WebhookSender } from "./webhooks/webhook-sender.js";
import { watchBacklogs, watchFailures, watchOwnFaults } from "./sweeps/watch-portals.js";
import type { ImportTools } from "./imports/import-tools.js";
import { workImports } from "./imports/work-imports.js";
import { workBulkJobs } from "./sweeps/work-bulk-jobs.js";

/** What periodic work needs. */
export interface ScheduleTools
  extends SendAlertsOptions, Pick<ImportTools, "gatewayOf" | "explainMany" | "closeOf" | "traceAccepting"> {
  readonly wake: (portalId: PortalId) => void;
  readonly overdueLooks: OverdueLooks;
  readonly databaseClock: DatabaseClock;
  readonly webhooks: Pick<WebhookSender, "sendDue">;
  readonly vault: ReadJournalOptions["vault"] & {
    readonly accessTokenFor: (portalId: PortalId) => Promise<string>;
    readonly revokeGivenUp: () => Promise<void>;
  };
  readonly journal: ReadJournalOptions["journal"];
}

interface Ending {
  /** True once the process is stopping: the rest of long work is done later. */
  readonly isEnding: () => boolean;
}

/** One kind of periodic work: how often it starts, unless it is still running, and what it does. */
export interface PeriodicWork<Tools> {
  readonly everyMs: number;
  readonly work: (tools: Tools & Ending) => Promise<unknown>;
}

/** Everything that a worker does on a timer, by name. Each continues whatever happens to the others. */
export const SCHEDULE = {
  /** Portals with due work that nobody woke. */
  wakeDuePortals: {
    everyMs: 2_000,
    work: async ({ pool, wake }) => {
      (await findDuePortals(pool)).forEach(wake);
    },
  },
  /** Deadlines are days away: finding a passed one is not urgent. Checks that read much happen even less often. */
  wakeOverduePortals: {
    everyMs: 4_000,
    work: async ({ pool, wake, overdueLooks }) => {
      (await findOverduePortals(pool, overdueLooks)).forEach(wake);
    },
  },
  endPauses: { everyMs: 5_000, work: endPauses },
  followDatabaseClock: { everyMs: 2_000, work: followDatabaseClock },
  recallStranded: {
    everyMs: 5 * 60_000,
    work: async ({ pool, logger }) => {
      const recalled = await recallStranded(pool);
      if (recalled > 0) logger.warn({ recalled }, "executions were due only after the end of their hold");
    },
  },
  /** An admin is watching the progress. */
  workBulkJobs: {
    everyMs: 1_000,
    work: ({ logger, ...tools }) =>
      workBulkJobs({
        ...tools,
        onFailed: (fault) => {
          logger.warn(
            { err: fault, ...fault.job, isForGood: fault.isForGood },
            "a step of a bulk job failed",
          );
        },
      }),
  },
  /** Looks at enrollments begin hours later, unless a webhook hastens one: nothing waits for this. */
  followEnrollments: {
    everyMs: 15_000,
    work: async ({ pool, isEnding }) => {
      while ((await followNew(pool)).isMoreLeft && !isEnding());
    },
  },
  workImports: { everyMs: 1_000, work: workImports },
  pruneHistory: { everyMs: 15 * 60_000, work: pruneHistory },
  eraseHistories: { everyMs: 3_000, work: eraseHistories },
  /** How soon an erased contact that appeared again is erased again. */
  applyLateFates: {
    everyMs: 20_000,
    work: async ({ pool, logger, wake }) => {
      (await applyLateFates(pool, logger)).forEach(wake);
    },
  },
  resealWebhooks: { everyMs: 15 * 60_000, work: resealEveryWebhook },
  /** Revokes unused grants at HubSpot. They are of no use here. */
  revokeGrants: { everyMs: 2_000, work: ({ vault }) => vault.revokeGivenUp() },
  /** Using a grant shows whether the account still has the app. */
  useIdleGrants: {
    everyMs: IDLE_INTERVAL_MS,
    work: async ({ pool, vault }) => useGrants(await findUnusedGrants(pool), vault.accessTokenFor),
  },
  /** How soon an uninstall is known. */
  readJournal: { everyMs: 60_000, work: readJournal },
  requestOldUserLists: {
    everyMs: IDLE_INTERVAL_MS,
    work: async ({ pool, wake }) => {
      (await requestOldUserLists(pool)).forEach(wake);
    },
  },
  requestOldFlows: {
    everyMs: IDLE_INTERVAL_MS,
    work: async ({ pool, wake }) => {
      (await requestOldFlows(pool)).forEach(wake);
    },
  },
  /** Alerts are about hours and days: a minute's delay does not matter. */
  watchFailures: { everyMs: 60_000, work: watchFailures },
  watchBacklogs: { everyMs: 60_000, work: watchBacklogs },
  /** Summaries come in the morning: a minute more or less does not matter. */
  raiseDigests: { everyMs: 60_000, work: raiseDigests },
  watchOwnFaults: { everyMs: 60_000, work: watchOwnFaults },
  watchUserLists: { everyMs: 60_000, work: tellOfFixedUserLists },
  /** How soon after the end of an enrollment became known its messages are written. */
  tellEnds: { everyMs: 10_000, work: ({ pool }) => tellEnds(pool) },
  /** How soon after an event its messages begin to be sent. */
  sendWebhooks: { everyMs: 1_000, work: ({ webhooks }) => webhooks.sendDue() },
  sendAlerts: { everyMs: 2_000, work: sendDueAlerts },
  sendConfirmations: { everyMs: 2_000, work: sendDueConfirmations },
} as const satisfies Readonly<Record<string, PeriodicWork<ScheduleTools>>>;

/** Other intervals, in ms, by the work's name: for tests. */
export type Intervals = Readonly<Partial<Record<keyof typeof SCHEDULE, number>>>;

/**
 * Starts periodic work; no kind runs twice at once. Failures are logged with the work's name, and it runs again at its
 * next time.
 *
 * @param options.intervals other intervals than the table's, in ms, by the work's name.
 * @returns a function that stops it, and resolves when nothing is running anymore.
 */
export function startSchedule<Tools, Name extends string>(
  schedule: Readonly<Record<Name, PeriodicWork<Tools>>>,
  tools: Tools,
  { intervals, logger }: { intervals: Readonly<Partial<Record<Name, number>>>; logger: Logger },
): () => Promise<void> {
  const underWay = new Map<Name, Promise<unknown>>();
  let hasEnded = false;
  const withEnding = { ...tools, isEnding: () => hasEnded };

  function begin(name: Name): void {
    if (underWay.has(name)) return;
    const working = schedule[name]
      .work(withEnding)
      .catch((error: unknown) => {
        logger.warn({ err: error, work: name }, "periodic work failed; it runs again at its next time");
      })
      .finally(() => underWay.delete(name));
    underWay.set(name, working);
  }

  const timers = (Object.keys(schedule) as Name[]).map((name) =>
    setInterval(begin, intervals[name] ?? schedule[name].everyMs, name),
  );
  return async () => {
    hasEnded = true;
    timers.forEach(clearInterval);
    await Promise.all(underWay.values());
  };
}
