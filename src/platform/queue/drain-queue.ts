import { setTimeout as sleep } from "node:timers/promises";
import { connectTimeoutOf, openBoss, QUEUE, type BossOptions } from "./open-boss.js";
import { PortalNotReleased } from "./portal-lease.js";
import { startWakeListener } from "./wake-listener.js";

const WAKE_CHANNEL = "sequence_enroller_wake";

const HEARTBEAT_INTERVAL_MS = 3_000;
/** How many turns' heartbeats share a statement: one statement each would hold up fetching and waking. */
const RENEW_BATCH = 50;
/** An owner that could not renew for this long stops sending, well before a successor may start. */
export const SELF_FENCE_MS = 6_000;
/** Wakes are hints; this is the longest delay of a lost one. */
const POLL_INTERVAL_MS = 2_000;
/**
 * The most portals to take at once, and how long a process waits before each fetch for every portal it holds. A
 * process with few portals fetches sooner and gets the waiting ones: portals spread over the processes, and a new
 * process has its share within a turn, without any counting.
 */
const FETCH_BATCH = 10;
const DEFER_PER_PORTAL_MS = 1;
const LONGEST_DEFER_MS = 50;

/** Total turns per place, including those that only wait: they cost memory and a share of the heartbeats. */
const TURNS_PER_PLACE = 3;
/** How soon a full process checks whether one of its turns only waits by now. */
const FULL_LOOK_MS = 250;

/** One turn with a portal. `signal` aborts when this process must stop at once. */
export type DrainHandler = (portalId: bigint, turn: DrainTurn) => Promise<TurnEnd>;

/**
 * How a turn ended. `more`: work is left, another turn is due at once; `idle`: nothing more was due; `rest`: the
 * remaining work has to wait (a circuit is open, the grant is gone), and waking the portal now would loop.
 */
export type TurnEnd = "more" | "idle" | "rest";

export interface DrainTurn {
  readonly signal: AbortSignal;
  /** False once this owner has not been able to renew for SELF_FENCE_MS: it must not send any more. */
  isFresh(): boolean;
  /** True once the process is stopping: finish what is under way and hand over. */
  isEnding(): boolean;
  /** While `onlyWaits` returns true, the turn takes no place from other portals. */
  lendPlaceWhile(onlyWaits: () => boolean): void;
}

/** Wakes portals and hands each to one process at a time. */
export interface DrainQueue {
  /** Requests that the portals be checked now. Resolves once that is stored; repeated wakes are combined. */
  wake(portalIds: readonly bigint[]): Promise<void>;
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
  hasWork: (portalId: bigint) => Promise<boolean>;
}

interface RunningTurn {
  readonly job: { id: string; retryCount: number };
  readonly abort: AbortController;
  renewedAtMs: number;
  onlyWaits: () => boolean;
  finished: Promise<void>;
}

interface FetchedJob {
  readonly id: string;
  readonly retryCount: number;
  readonly portalId: bigint;
  readonly claimedAtMs: number;
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

  const running = new Set<RunningTurn>();
  let isStopping = false;
  let stopLoop = async (): Promise<void> => {};
  let fetchSoon = (): void => {};

  async function wake(portalIds: readonly bigint[]): Promise<void> {
    const jobs = portalIds.map((portalId) => ({ singletonKey: String(portalId) }));
    await boss.insert(QUEUE, jobs, { returnId: false });
    fetchSoon();
    await boss.getDb().executeSql(`SELECT pg_notify($1, '')`, [WAKE_CHANNEL]);
  }

  async function runTurn(
    job: FetchedJob,
    { handler, hasWork }: { handler: DrainHandler; hasWork: WorkOptions["hasWork"] },
  ): Promise<void> {
    const { portalId } = job;
    const abort = new AbortController();
    const turn: RunningTurn = {
      job: { id: job.id, retryCount: job.retryCount },
      abort,
      renewedAtMs: job.claimedAtMs,
      onlyWaits: () => false,
      finished: Promise.resolve(),
    };
    // A job keeps its id when it is handed out again: an older turn of it has lost the portal, and ends.
    for (const older of running) if (older.job.id === job.id) older.abort.abort();
    running.add(turn);
    turn.finished = handler(portalId, {
      signal: abort.signal,
      isEnding: () => isStopping,
      lendPlaceWhile: (onlyWaits) => {
        turn.onlyWaits = onlyWaits;
      },
      isFresh: () => !abort.signal.aborted && performance.now() - turn.renewedAtMs < SELF_FENCE_MS,
    })
      .catch((error: unknown): TurnEnd => {
        // Not handed back: the lease has to expire first, and with it most of HubSpot's window.
        if (error instanceof PortalNotReleased) throw error;
        logger.error({ err: error, portalId }, "a drain turn failed");
        return "rest";
      })
      .then(async (end) => {
        await boss.complete(QUEUE, turn.job);
        // Work that came before the job was done met a wake that did nothing; later work has its own wake.
        if (end === "more" || (end === "idle" && (await hasWork(portalId)))) await wake([portalId]);
      })
      .catch((error: unknown) => {
        // The heartbeat lapses and the portal is taken over: slower, never wrong.
        logger.warn({ err: error, portalId }, "a finished drain turn could not be handed back");
      })
      .finally(() => {
        running.delete(turn);
        fetchSoon();
      });
    await turn.finished;
  }

  async function heartbeat(): Promise<void> {
    // Of several turns of the same job, the last: the others have lost it.
    const turns = [...new Map([...running].map((turn) => [turn.job.id, turn])).values()];
    const groups = Array.from({ length: Math.ceil(turns.length / RENEW_BATCH) }, (_, index) =>
      turns.slice(index * RENEW_BATCH, (index + 1) * RENEW_BATCH),
    );
    // In parallel: a slow or failing one must not let the others expire.
    await Promise.all(groups.map(renew));
  }

  async function renew(turns: readonly RunningTurn[]): Promise<void> {
    const startedAtMs = performance.now();
    // The published type is empty; the answer names the ones that are still ours.
    const { settled } = (await boss.touch(
      QUEUE,
      turns.map(({ job }) => job),
    )) as { settled: string[] };
    const renewed = new Set(settled);
    for (const turn of turns) {
      if (renewed.has(turn.job.id)) turn.renewedAtMs = startedAtMs;
      else turn.abort.abort();
    }
  }

  function work(handler: DrainHandler, { capacity, hasWork }: WorkOptions): void {
    let isFetching = false;
    let isFetchWanted = false;
    let fullLook: NodeJS.Timeout | undefined;

    function freePlaces(): number {
      const atWork = [...running].filter((turn) => !turn.onlyWaits()).length;
      return Math.min(capacity - atWork, capacity * TURNS_PER_PLACE - running.size);
    }

    async function fetchPortals(): Promise<void> {
      isFetchWanted = true;
      if (isFetching) return;
      isFetching = true;
      try {
        while (isFetchWanted && !isStopping) {
          await sleep(Math.min(LONGEST_DEFER_MS, running.size * DEFER_PER_PORTAL_MS));
          const batchSize = Math.min(FETCH_BATCH, freePlaces());
          if (isStopping || batchSize <= 0) break;
          isFetchWanted = false;
          // The lease runs from the claim: a process that was paused while the answer was in flight must not consider
          // it fresh.
          const claimedAtMs = performance.now();
          // No job is put off: one that is due later was made before the database's clock was set back.
          const jobs = await boss.fetch(QUEUE, { batchSize, includeMetadata: true, ignoreStartAfter: true });
          if (jobs.length === batchSize) isFetchWanted = true;
          for (const job of jobs) {
            const portalId = BigInt(job.singletonKey ?? "0");
            void runTurn(
              { id: job.id, retryCount: job.retryCount, portalId, claimedAtMs },
              { handler, hasWork },
            );
          }
        }
      } catch (error) {
        logger.warn({ err: error }, "portals could not be fetched; trying again");
      } finally {
        isFetching = false;
      }
      // A turn that begins to wait frees a place without an event.
      clearTimeout(fullLook);
      if (isFetchWanted && !isStopping) fullLook = setTimeout(fetchSoon, FULL_LOOK_MS).unref();
    }

    fetchSoon = () => void fetchPortals();
    const poll = setInterval(fetchSoon, POLL_INTERVAL_MS);
    const beat = setInterval(() => {
      heartbeat().catch((error: unknown) => {
        logger.warn({ err: error }, "heartbeats could not be renewed");
      });
    }, HEARTBEAT_INTERVAL_MS);
    const stopListening = startWakeListener({
      ...options,
      connectTimeoutMs: connectTimeoutOf(options),
      channel: WAKE_CHANNEL,
      onWake: fetchSoon,
    });
    stopLoop = async () => {
      clearInterval(poll);
      await stopListening();
      await Promise.allSettled([...running].map(({ finished }) => finished));
      clearInterval(beat);
    };
    fetchSoon();
  }

  async function stop({ graceMs }: { graceMs: number }): Promise<void> {
    isStopping = true;
    const grace = setTimeout(() => {
      for (const turn of running) turn.abort.abort();
    }, graceMs);
    await stopLoop();
    clearTimeout(grace);
    await opened.stop();
  }

  async function probe(): Promise<void> {
    await boss.getQueue(QUEUE);
  }

  async function countJobs(): Promise<number> {
    return (await boss.getQueue(QUEUE))?.totalCount ?? 0;
  }

  return { wake, work, countJobs, probe, stop };
}
