import { setTimeout as sleep } from "node:timers/promises";
import type { PgBoss } from "pg-boss";
import type { Logger } from "#platform/observability/logger.js";
import { QUEUE } from "./open-boss.js";
import type { FetchedJob, RunningTurns } from "./running-turns.js";

/**
 * The maximum number of portals to take at once, and how long a process waits before each fetch for every portal it
 * holds. A process with few portals fetches sooner and gets the waiting ones: portals spread over the processes, and a
 * new process has its share within a turn, without any counting.
 */
const FETCH_BATCH = 10;
const DEFER_PER_PORTAL_MS = 1;
const LONGEST_DEFER_MS = 50;

/** Total turns per place, including those that only wait: they cost memory and a share of the heartbeats. */
const TURNS_PER_PLACE = 3;
/** How soon a full process checks whether one of its turns only waits by now. */
const FULL_LOOK_MS = 250;

export interface PortalFetcherOptions {
  boss: PgBoss;
  logger: Logger;
  turns: Pick<RunningTurns, "size" | "atWork">;
  /** Turns at work at once. */
  capacity: number;
  onFetched: (job: FetchedJob) => void;
}

/** Takes portals that wait for an owner, as long as there are places for their turns. */
export class PortalFetcher {
  readonly #options: PortalFetcherOptions;
  #isFetching = false;
  #isWanted = false;
  #isStopped = false;
  #fullLook: NodeJS.Timeout | undefined;

  constructor(options: PortalFetcherOptions) {
    this.#options = options;
  }

  /** Fetches now, or once more if it is under way. */
  soon(): void {
    void this.#fetchPortals();
  }

  stop(): void {
    this.#isStopped = true;
  }

  get #freePlaces(): number {
    const { turns, capacity } = this.#options;
    return Math.min(capacity - turns.atWork, capacity * TURNS_PER_PLACE - turns.size);
  }

  async #fetchPortals(): Promise<void> {
    this.#isWanted = true;
    if (this.#isFetching) return;
    this.#isFetching = true;
    try {
      while (this.#isWanted && (await this.#fetchOnce()));
    } catch (error) {
      this.#options.logger.warn({ err: error }, "portals could not be fetched; trying again");
    } finally {
      this.#isFetching = false;
    }
    // A turn that begins to wait frees a place without an event.
    clearTimeout(this.#fullLook);
    if (this.#isWanted && !this.#isStopped)
      this.#fullLook = setTimeout(() => {
        this.soon();
      }, FULL_LOOK_MS).unref();
  }

  /** @returns false if the process is full, or stops. */
  async #fetchOnce(): Promise<boolean> {
    const { boss, turns, onFetched } = this.#options;
    if (this.#isStopped) return false;
    await sleep(Math.min(LONGEST_DEFER_MS, turns.size * DEFER_PER_PORTAL_MS));
    const batchSize = Math.min(FETCH_BATCH, this.#freePlaces);
    if (this.#isStopped || batchSize <= 0) return false;
    this.#isWanted = false;
    // The lease runs from the claim: a process that was paused while the answer was in flight must not consider
    // it fresh.
    const claimedAtMs = performance.now();
    // No job is put off: one that is due later was made before the database's clock was set back.
    const jobs = await boss.fetch(QUEUE, { batchSize, includeMetadata: true, ignoreStartAfter: true });
    if (jobs.length === batchSize) this.#isWanted = true;
    for (const { id, retryCount, singletonKey } of jobs)
      onFetched({ id, retryCount, portalId: BigInt(singletonKey ?? "0"), claimedAtMs });
    return true;
  }
}
