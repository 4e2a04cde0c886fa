import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { COMPLETION_BATCH, sendCompletions, type CompletionOptions } from "./send-completions.js";

/** With a backlog, completions wait this long to be combined: about one request per 100 of them. */
const COMPLETION_WAIT_MS = 8_000;

export interface OwedCompletionsOptions extends Pick<
  CompletionOptions,
  "owner" | "writer" | "onRefused" | "onResults"
> {
  gateway: () => PortalGateway;
  /** Writes what the turn has found so far: a completion reports a written result. */
  flush: () => Promise<void>;
  onFault: (fault: Error) => void;
}

/** The completions that a turn owes HubSpot: counted as executions are decided, sent in batches when it is worth a request. */
export class OwedCompletions {
  readonly #options: OwedCompletionsOptions;
  #count = 0;
  #sinceMs = 0;
  #underWay: Promise<void> | undefined;

  constructor(options: OwedCompletionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Never rejects; undefined while no request is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  add(count: number): void {
    if (count === 0) return;
    if (this.#count === 0) this.#sinceMs = performance.now();
    this.#count += count;
  }

  /**
   * Begins to send what is owed if the turn has nothing else to do, or if it is enough, or has been owed for long
   * enough.
   */
  sendIfWorthwhile(isQuiet: boolean): void {
    const hasWaited = performance.now() - this.#sinceMs >= COMPLETION_WAIT_MS;
    const isWorthwhile = this.#count > 0 && (isQuiet || hasWaited || this.#count >= COMPLETION_BATCH);
    if (!isWorthwhile || this.#underWay !== undefined) return;
    this.#underWay = this.#send().finally(() => {
      this.#underWay = undefined;
    });
  }

  async #send(): Promise<void> {
    const { gateway, flush, onFault } = this.#options;
    try {
      await flush();
      const before = this.#count;
      const sent = await sendCompletions({ ...this.#options, gateway: gateway() });
      // After a full batch there may be more; anything less was all that is due.
      const addedMeanwhile = this.#count - before;
      this.#count = sent < COMPLETION_BATCH ? addedMeanwhile : Math.max(1, before - sent) + addedMeanwhile;
      this.#sinceMs = performance.now();
    } catch (error) {
      onFault(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
