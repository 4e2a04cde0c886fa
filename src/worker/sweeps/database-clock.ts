import type { Pool } from "pg";
import { recallSetBack } from "#domain/executions/overdue/set-back.js";
import type { Logger } from "#platform/observability/logger.js";
import { limitFutureHeartbeats } from "#platform/queue/future-heartbeats.js";

/** A clock that is corrected by less delays nothing that anyone would notice. */
const LEAST_MS = 1_000;

/** The database's time minus this process's monotonic clock: exact but for the time that the question took. */
interface Offset {
  readonly leastMs: number;
  readonly mostMs: number;
}

export interface DatabaseClockOptions {
  /** The database's time, in epoch milliseconds. */
  readonly readNow: () => Promise<number>;
  /** Monotonic milliseconds; by default `performance.now()`. */
  readonly momentMs?: () => number;
}

/**
 * Notices when the database's clock was set back: by an administrator, by time synchronization, or because another server
 * has taken over.
 */
export class DatabaseClock {
  readonly #readNow: () => Promise<number>;
  readonly #momentMs: () => number;
  #last: Offset | undefined;

  constructor({ readNow, momentMs = () => performance.now() }: DatabaseClockOptions) {
    this.#readNow = readNow;
    this.#momentMs = momentMs;
  }

  /** By how much it was set back since the last look, in ms, at the least; 0 if it was not. */
  async look(): Promise<number> {
    const askedMs = this.#momentMs();
    const nowMs = await this.#readNow();
    const now: Offset = { leastMs: nowMs - this.#momentMs(), mostMs: nowMs - askedMs };
    const setBackMs = this.#last === undefined ? 0 : this.#last.leastMs - now.mostMs;
    this.#last = now;
    return setBackMs < LEAST_MS ? 0 : setBackMs;
  }
}

export function openDatabaseClock(pool: Pool): DatabaseClock {
  return new DatabaseClock({
    readNow: async () => {
      const { rows } = await pool.query<{ now: Date }>({
        name: "read-database-clock",
        text: "SELECT clock_timestamp() AS now",
      });
      return (rows[0] as { now: Date }).now.getTime();
    },
  });
}

/** A second more than it was set back by, since that is measured as the least it can be. */
const MARGIN_MS = 1_000;

/** Checks whether the database's clock was set back; if so, recalls what waits for it. */
export async function followDatabaseClock({
  pool,
  logger,
  databaseClock,
}: {
  pool: Pool;
  logger: Logger;
  databaseClock: DatabaseClock;
}): Promise<void> {
  const setBackMs = await databaseClock.look();
  if (setBackMs === 0) return;
  await limitFutureHeartbeats(pool);
  const recalled = await recallSetBack(pool, setBackMs + MARGIN_MS);
  logger.warn({ setBackMs: Math.round(setBackMs), recalled }, "the database's clock was set back");
}
