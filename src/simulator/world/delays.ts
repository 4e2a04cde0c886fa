/** Timers that can all be dropped at once, so that closing the simulator leaves nothing running. */
export class Delays {
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  /** Calls `work` after `ms`; never after `cancelAll`. */
  schedule(ms: number, work: () => void): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  /** Resolves after `ms`; stays pending forever once canceled. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(ms, resolve);
    });
  }

  cancelAll(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
