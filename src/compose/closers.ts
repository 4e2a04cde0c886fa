import type { Logger } from "#platform/observability/logger.js";

/** Whoever opens something adds its close here; closing runs in reverse order, and continues past failures. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async run(logger: Logger): Promise<void> {
    for (const close of this.#closers.reverse()) {
      await close().catch((error: unknown) => {
        logger.error({ err: error }, "something could not be closed");
      });
    }
  }
}
