import type { PgBoss } from "pg-boss";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { SELF_FENCE_MS, type DrainHandler, type TurnEnd } from "./drain-turn.js";
import { QUEUE } from "./open-boss.js";
import { PortalNotReleased } from "./portal-lease.js";

/** How many turns' heartbeats share a statement: one statement each would hold up fetching and waking. */
const RENEW_BATCH = 50;

/** A portal that this process was given. */
export interface FetchedJob {
  readonly id: string;
  readonly retryCount: number;
  readonly portalId: PortalId;
  readonly claimedAtMs: number;
}

interface RunningTurn {
  readonly job: { id: string; retryCount: number };
  readonly abort: AbortController;
  renewedAtMs: number;
  onlyWaits: () => boolean;
  finished: Promise<void>;
}

export interface RunningTurnsOptions {
  boss: PgBoss;
  logger: Logger;
  /** Called when a turn is over, in whatever way, and its place is free. */
  onPlaceFree: () => void;
}

/** The turns of this process: each begins with a portal's job, renews it, and hands it back. */
export class RunningTurns {
  readonly #options: RunningTurnsOptions;
  readonly #turns = new Set<RunningTurn>();
  #isEnding = false;

  constructor(options: RunningTurnsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#turns.size;
  }

  /** Turns that do more than wait. */
  get atWork(): number {
    return [...this.#turns].filter((turn) => !turn.onlyWaits()).length;
  }

  /** Tells all turns, and those that still begin, to finish what is under way. */
  end(): void {
    this.#isEnding = true;
  }

  /** Makes all turns stop at once. */
  abort(): void {
    for (const turn of this.#turns) turn.abort.abort();
  }

  /** Resolves when all turns that run now are over. */
  async over(): Promise<void> {
    await Promise.allSettled([...this.#turns].map(({ finished }) => finished));
  }

  /** Runs a turn with the job's portal. `onDone` is called once the job is handed back. Never rejects. */
  begin(
    job: FetchedJob,
    { handler, onDone }: { handler: DrainHandler; onDone: (end: TurnEnd) => Promise<void> },
  ): void {
    const { boss, logger, onPlaceFree } = this.#options;
    const { portalId } = job;
    const turn = this.#open(job);
    turn.finished = this.#handle(turn, { portalId, handler })
      .then(async (end) => {
        await boss.complete(QUEUE, turn.job);
        await onDone(end);
      })
      .catch((error: unknown) => {
        // The heartbeat lapses and the portal is taken over: slower, never wrong.
        logger.warn({ err: error, portalId }, "a finished drain turn could not be handed back");
      })
      .finally(() => {
        this.#turns.delete(turn);
        onPlaceFree();
      });
  }

  #open(job: FetchedJob): RunningTurn {
    const turn: RunningTurn = {
      job: { id: job.id, retryCount: job.retryCount },
      abort: new AbortController(),
      renewedAtMs: job.claimedAtMs,
      onlyWaits: () => false,
      finished: Promise.resolve(),
    };
    // A job keeps its id when it is handed out again: an older turn of it has lost the portal, and ends.
    for (const older of this.#turns) if (older.job.id === job.id) older.abort.abort();
    this.#turns.add(turn);
    return turn;
  }

  async #handle(
    turn: RunningTurn,
    { portalId, handler }: { portalId: PortalId; handler: DrainHandler },
  ): Promise<TurnEnd> {
    const { signal } = turn.abort;
    try {
      return await handler(portalId, {
        signal,
        isEnding: () => this.#isEnding,
        lendPlaceWhile: (onlyWaits) => {
          turn.onlyWaits = onlyWaits;
        },
        isFresh: () => !signal.aborted && performance.now() - turn.renewedAtMs < SELF_FENCE_MS,
      });
    } catch (error) {
      // Not handed back: the lease has to expire first, and with it most of HubSpot's window.
      if (error instanceof PortalNotReleased) throw error;
      this.#options.logger.error({ err: error, portalId }, "a drain turn failed");
      return "rest";
    }
  }

  /** Renews the jobs of all turns. @throws if some could not be renewed. */
  async heartbeat(): Promise<void> {
    // Of several turns of the same job, the last: the others have lost it.
    const turns = [...new Map([...this.#turns].map((turn) => [turn.job.id, turn])).values()];
    const groups = Array.from({ length: Math.ceil(turns.length / RENEW_BATCH) }, (_, index) =>
      turns.slice(index * RENEW_BATCH, (index + 1) * RENEW_BATCH),
    );
    // In parallel: a slow or failing one must not let the others expire.
    await Promise.all(groups.map((group) => this.#renew(group)));
  }

  async #renew(turns: readonly RunningTurn[]): Promise<void> {
    const startedAtMs = performance.now();
    // The published type is empty; the answer names the ones that are still ours.
    const { settled } = (await this.#options.boss.touch(
      QUEUE,
      turns.map(({ job }) => job),
    )) as { settled: string[] };
    const renewed = new Set(settled);
    for (const turn of turns) {
      if (renewed.has(turn.job.id)) turn.renewedAtMs = startedAtMs;
      else turn.abort.abort();
    }
  }
}
