import type { PortalId } from "#platform/ids/branded-ids.js";
import type { DrainHandler, TurnEnd } from "./drain-turn.js";
import { connectTimeoutOf, openBoss, QUEUE, type BossOptions } from "./open-boss.js";
import { PortalFetcher } from "./portal-fetcher.js";
import { RunningTurns } from "./running-turns.js";
import { startWakeListener } from "./wake-listener.js";

const WAKE_CHANNEL = "sequence_enroller_wake";

const HEARTBEAT_INTERVAL_MS = 3_000;
/** Wakes are hints; this is the longest delay of a lost one. */
const POLL_INTERVAL_MS = 2_000;

/** Wakes portals and hands each to one process at a time. */
export interface DrainQueue {
  /** Requests that the portals be checked now. Resolves once that is stored; repeated wakes are combined. */
  wake(portalIds: readonly PortalId[]): Promise<void>;
  /**
   * Begins taking portals, at most `capacity` at a time besides those that only wait for others. `hasWork` is asked
   * after each idle turn.
   */
  work(handler: DrainHandler, options: WorkOptions): void;
  /** Jobs in the table, as last counted by any process, seconds ago; finished ones included. */
  countJobs(): Promise<number>;
  /** Rejects when the queue cannot be reached. */
  probe(): Promise<void>;
  /** Lets running turns finish for up to `graceMs`, then aborts them; closes the queue. */
  stop(options: { graceMs: number }): Promise<void>;
}

export interface WorkOptions {
  capacity: number;
  /** Whether the portal has work that a turn would find. */
  hasWork: (portalId: PortalId) => Promise<boolean>;
}

/**
 * pg-boss as the waker and the lease (docs/decisions/003-portal-ownership.md): queue policy `exclusive` with the portal
 * as singleton key keeps one job per portal, waiting or active, in all processes together; a job whose heartbeat stops
 * is handed to another process. Portals are fetched by one loop per process, so a wake costs one query however many
 * portals the process may hold.
 *
 * A wake during the portal's turn finds the job there and does nothing, so after each turn its owner checks once more.
 */
export async function openDrainQueue(options: BossOptions): Promise<DrainQueue> {
  const { logger } = options;
  const opened = await openBoss(options);
  const { boss } = opened;

  let fetcher: PortalFetcher | undefined;
  const fetchSoon = (): void => fetcher?.soon();
  const turns = new RunningTurns({ boss, logger, onPlaceFree: fetchSoon });
  let stopWork = async (): Promise<void> => {};

  async function wake(portalIds: readonly PortalId[]): Promise<void> {
    const jobs = portalIds.map((portalId) => ({ singletonKey: String(portalId) }));
    await boss.insert(QUEUE, jobs, { returnId: false });
    fetchSoon();
    await boss.getDb().executeSql(`SELECT pg_notify($1, '')`, [WAKE_CHANNEL]);
  }

  function work(handler: DrainHandler, { capacity, hasWork }: WorkOptions): void {
    /** Work that came before the job was done met a wake that did nothing; later work has its own wake. */
    async function wakeForMore(portalId: PortalId, end: TurnEnd): Promise<void> {
      if (end === "more" || (end === "idle" && (await hasWork(portalId)))) await wake([portalId]);
    }
    fetcher = new PortalFetcher({
      boss,
      logger,
      turns,
      capacity,
      onFetched: (job) => {
        turns.begin(job, { handler, onDone: (end) => wakeForMore(job.portalId, end) });
      },
    });
    const poll = setInterval(fetchSoon, POLL_INTERVAL_MS);
    const beat = setInterval(() => {
      turns.heartbeat().catch((error: unknown) => {
        logger.warn({ err: error }, "heartbeats could not be renewed");
      });
    }, HEARTBEAT_INTERVAL_MS);
    const stopListening = startWakeListener({
      ...options,
      connectTimeoutMs: connectTimeoutOf(options),
      channel: WAKE_CHANNEL,
      onWake: fetchSoon,
    });
    stopWork = async () => {
      clearInterval(poll);
      await stopListening();
      await turns.over();
      clearInterval(beat);
    };
    fetchSoon();
  }

  return {
    wake,
    work,
    async countJobs() {
      return (await boss.getQueue(QUEUE))?.totalCount ?? 0;
    },
    async probe() {
      await boss.getQueue(QUEUE);
    },
    async stop({ graceMs }) {
      fetcher?.stop();
      turns.end();
      const grace = setTimeout(() => {
        turns.abort();
      }, graceMs);
      await stopWork();
      clearTimeout(grace);
      await opened.stop();
    },
  };
}
