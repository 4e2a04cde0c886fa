import { PgBoss } from "pg-boss";
import { KEEP_ALIVE, preparedSessions, type OnDatabaseFault } from "#platform/db/session.js";
import type { Logger } from "#platform/observability/logger.js";
import { within } from "#platform/time/within.js";
import { deleteFinishedJobs } from "./delete-finished-jobs.js";

export const QUEUE = "drain-one-portal";

/** A worker without heartbeats is written off after this long (pg-boss allows no less). */
export const HEARTBEAT_SECONDS = 10;

/**
 * A statement without an answer is abandoned with its connection. On a network that drops packets it would take a
 * quarter of an hour, and no portal would be fetched or woken meanwhile.
 */
const QUERY_TIMEOUT_MS = 10_000;
/** Processes that start together wait for the one that creates or changes pg-boss's tables. */
const LOCK_TIMEOUT_MS = 8_000;

/** Passed on to pg-boss's pool. */
const connections = (onFault: OnDatabaseFault | undefined) => ({
  query_timeout: QUERY_TIMEOUT_MS,
  ...preparedSessions({ statementTimeoutMs: QUERY_TIMEOUT_MS, lockTimeoutMs: LOCK_TIMEOUT_MS }, onFault),
  ...KEEP_ALIVE,
});

/** pg-boss cannot change it in a queue that exists. */
const POLICY = "exclusive";
const OPTIONS = {
  heartbeatSeconds: HEARTBEAT_SECONDS,
  retryLimit: 1_000_000,
  retryDelay: 0,
  /** Nobody reads finished jobs, and every monitoring query reads the whole table. */
  deleteAfterSeconds: 60,
};

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * At a stop, what pg-boss does by itself has this long to end. A statement that waits for a lock is left to the database:
 * it would take up to {@link LOCK_TIMEOUT_MS}, after the same for handing back the portals, and the process has to end.
 */
const CLOSE_PATIENCE_MS = 2_000;

export interface BossOptions {
  databaseUrl: string;
  logger: Logger;
  applicationName: string;
  /** How long a connection may take if that is more than 5 s. */
  connectTimeoutMs?: number | undefined;
  /** Called with every fault of its connections and statements. */
  onFault?: OnDatabaseFault;
}

/** Timeout of the queue's connections: only background work waits for them. */
export function connectTimeoutOf({ connectTimeoutMs = 0 }: Pick<BossOptions, "connectTimeoutMs">): number {
  return Math.max(connectTimeoutMs, CONNECT_TIMEOUT_MS);
}

/** pg-boss with our one queue, configured for this release, whichever release created it. */
export async function openBoss(options: BossOptions): Promise<{
  boss: PgBoss;
  stop(): Promise<void>;
}> {
  const { databaseUrl, logger, applicationName } = options;
  const boss = new PgBoss({
    connectionString: databaseUrl,
    application_name: applicationName,
    max: 4,
    schedule: false,
    // How soon a stopped heartbeat is noticed.
    monitorIntervalSeconds: 2,
    superviseIntervalSeconds: 2,
    // How often finished jobs are deleted; by default it would be once a day, and a turn is a job.
    maintenanceIntervalSeconds: 60,
    connectionTimeoutMillis: connectTimeoutOf(options),
    ...connections(options.onFault),
  });
  boss.on("error", (fault) => {
    logger.warn({ err: fault }, "queue fault");
  });
  const stopping = new AbortController();
  let deleting = Promise.resolve();
  const close = async (): Promise<void> => {
    await deleting;
    await boss.stop({ graceful: false });
  };
  const stop = async (): Promise<void> => {
    stopping.abort();
    await within(
      CLOSE_PATIENCE_MS,
      close(),
      () => new Error("the queue's own work still waits for the database"),
    );
  };
  try {
    await boss.start();
    await ensureQueue(boss, logger);
  } catch (error) {
    // Its timers would keep alive a process that has given up starting.
    await stop().catch(() => undefined);
    throw error;
  }
  deleting = deleteFinishedJobs({ boss, queue: QUEUE, stopping: stopping.signal, logger });
  return { boss, stop };
}

async function ensureQueue(boss: PgBoss, logger: Logger): Promise<void> {
  const found = await boss.getQueue(QUEUE);
  if (found !== null && found.policy !== POLICY) {
    // Its jobs are wakes and leases: the sweep wakes again, and an owner without its lease gives the portal up.
    logger.warn(
      { found: found.policy, wanted: POLICY },
      "the queue is from an earlier release; recreating it",
    );
    await boss.deleteQueue(QUEUE);
  }
  await boss.createQueue(QUEUE, { policy: POLICY, ...OPTIONS });
  const isAsWanted = Object.entries(OPTIONS).every(
    ([name, value]) => found?.[name as keyof typeof OPTIONS] === value,
  );
  if (found !== null && !isAsWanted) await boss.updateQueue(QUEUE, OPTIONS);
}
