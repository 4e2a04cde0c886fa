/** Shares of a portal's request window that looking may use: little while contacts wait to be enrolled, half else. */
const SHARE = { amongOthers: 0.1, alone: 0.5 };
/** How often a turn asks the database for what is due, while there is other work. */
const ASK_AGAIN_MS = 1_000;

/**
 * When a turn may look at waiting contacts next. One poll at a time, so that enrolling always has most of the window.
 */
export class WatchPace {
  readonly #windowMs: number;
  #polledAtMs = Number.NEGATIVE_INFINITY;
  #isMoreLeft = true;

  constructor(options: { windowMs: number }) {
    this.#windowMs = options.windowMs;
  }

  /** Whether something may be due: of the turn's start until a look found nothing more. */
  get isMoreLeft(): boolean {
    return this.#isMoreLeft;
  }

  /** `limit`: requests per window at present. */
  isTime({ limit, isAlone }: { limit: number; isAlone: boolean }): boolean {
    const elapsedMs = performance.now() - this.#polledAtMs;
    if (!this.#isMoreLeft) return elapsedMs >= ASK_AGAIN_MS;
    const share = isAlone ? SHARE.alone : SHARE.amongOthers;
    return elapsedMs >= this.#windowMs / Math.max(1, limit * share);
  }

  polled(isMoreLeft: boolean): void {
    this.#polledAtMs = performance.now();
    this.#isMoreLeft = isMoreLeft;
  }
}
