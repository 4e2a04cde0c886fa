import { LRUCache } from "lru-cache";
import type { Logger } from "#platform/observability/logger.js";
import { databaseTroubleOf, type DatabaseTrouble } from "./storage-faults.js";

/** A trouble that has not occurred for this long is over, and is logged again if it comes back. */
const OVER_AFTER_MS = 5 * 60_000;
/** For this long after its last occurrence, /readyz warns of it. */
const RECENT_MS = 60_000;
/** How many different messages to remember: one for each table that lacks rights, say. */
const MAX_LOGGED = 200;

export interface TroubleLogOptions {
  readonly logger: Pick<Logger, "error">;
  /** Called with the cause of every trouble, each time it occurs. */
  readonly onTrouble: (cause: string) => void;
}

/**
 * Receives the faults of all of a process's database connections, and logs those that only the operator can fix: at
 * error level with what to do, and only once until there was none for a while, however many statements fail.
 */
export class TroubleLog {
  readonly #options: TroubleLogOptions;
  readonly #logged = new LRUCache<string, true>({ max: MAX_LOGGED, ttl: OVER_AFTER_MS });
  #last: { readonly trouble: DatabaseTrouble; readonly atMs: number } | undefined;

  constructor(options: TroubleLogOptions) {
    this.#options = options;
  }

  /** For `preparedSessions`. Never throws. */
  readonly report = (fault: unknown): void => {
    const trouble = databaseTroubleOf(fault);
    if (trouble === undefined) return;
    const { cause, means, todo } = trouble;
    this.#last = { trouble, atMs: performance.now() };
    this.#options.onTrouble(cause);
    const message = (fault as { message?: unknown }).message;
    const key = `${cause} ${String(message)}`;
    const isNews = !this.#logged.has(key);
    this.#logged.set(key, true);
    if (isNews) this.#options.logger.error({ cause, err: fault }, `${means} ${todo}`);
  };

  /** The trouble of the last minute, in a sentence that anyone may read; undefined if there was none. */
  recent(): string | undefined {
    if (this.#last === undefined || performance.now() - this.#last.atMs > RECENT_MS) return undefined;
    const { cause, means } = this.#last.trouble;
    return `${means} The log says what to do (${cause}).`;
  }
}
