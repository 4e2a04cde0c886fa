import { setTimeout as sleep } from "node:timers/promises";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { Slices } from "./slices.js";

/** A restarting database is back by then. */
const TRIES = 8;
const TRY_AGAIN_MS = 2_000;

interface Unfinished {
  readonly portalId: PortalId;
  readonly slices: Slices;
  readonly tries: number;
}

export interface UnfinishedOptions {
  /** Called after each slice: the portal has work. */
  wake: (portalId: PortalId) => void;
  logger: Logger;
  tryAgainMs?: number;
}

/**
 * Work that a request began but does not wait for: the remaining slices of a change that affects thousands of waiting
 * contacts. Each process runs one slice at a time, the portals in turn. What remains when the process stops, or keeps
 * failing, is not done: those contacts look again at their own time, and the log says so.
 */
export class UnfinishedChanges {
  readonly #options: UnfinishedOptions;
  #left: Unfinished[] = [];
  #working: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(options: UnfinishedOptions) {
    this.#options = options;
  }

  add(portalId: PortalId, slices: Slices): void {
    this.#left.push({ portalId, slices, tries: 0 });
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
  }

  async #work(): Promise<void> {
    for (let next = this.#left.shift(); next !== undefined; next = this.#left.shift()) {
      const rest = await this.#step(next);
      if (rest !== undefined) this.#left.push(rest);
      if (this.#stopping.signal.aborted) return;
    }
  }

  async #step(change: Unfinished): Promise<Unfinished | undefined> {
    const { portalId, tries } = change;
    const { wake, logger, tryAgainMs = TRY_AGAIN_MS } = this.#options;
    try {
      const slices = await change.slices();
      wake(portalId);
      return slices && { portalId, slices, tries: 0 };
    } catch (error) {
      if (tries + 1 < TRIES) {
        await sleep(tryAgainMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        return { ...change, tries: tries + 1 };
      }
      logger.error(
        { err: error, portalId },
        "not all waiting contacts were woken after a change: they check again at their own time",
      );
      return undefined;
    }
  }

  /** Waits for the current slice and drops the others. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
    for (const { portalId } of this.#left.splice(0))
      this.#options.logger.warn(
        { portalId },
        "stopped before all waiting contacts were woken after a change: they check again at their own time",
      );
  }
}
