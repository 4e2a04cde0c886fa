import { LRUCache } from "lru-cache";
import type { Logger } from "#platform/observability/logger.js";
import { databaseTroubleOf, type DatabaseTrouble } from "./storage-faults.js";

/** What has not been heard of for this long is over, and is told again if it comes back. */
const OVER_AFTER_MS = 5 * 60_000;
/** For this long after it was heard last, /readyz warns of it. */
const RECENT_MS = 60_000;
/** Different messages that are remembered: one for each table that lacks rights, say. */
const MAX_LOGGED = 200;

export interface TroubleLogOptions {
  readonly logger: Pick<Logger, "error">;
  /** Told the cause of every trouble, each time it is met. */
  readonly onTrouble: (cause: string) => void;
}

/**
 * Hears the faults of all of a process's connections to the database, and tells the operator of those that only the
 * operator can mend: at error level with what to do, once until it was quiet for a while, however many statements fail.
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
    if (isNews) this.#options.logger.error({ cause, fault }, `${means} ${todo}`);
  };

  /** What was met within the last minute, in a sentence that anybody may read; undefined: nothing. */
  recent(): string | undefined {
    if (this.#last === undefined || performance.now() - this.#last.atMs > RECENT_MS) return undefined;
    const { cause, means } = this.#last.trouble;
    return `${means} The log says what to do (${cause}).`;
  }
}
