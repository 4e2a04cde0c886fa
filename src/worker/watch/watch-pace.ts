/** Shares of a portal's request window for checks: small while contacts wait to be enrolled, otherwise half. */
const SHARE = { amongOthers: 0.1, alone: 0.5 };
/** How often a turn queries the database for due checks, while there is other work. */
const ASK_AGAIN_MS = 1_000;

/** When a turn may next check waiting contacts. One poll at a time, so that enrolling always has most of the window. */
export class WatchPace {
  readonly #windowMs: number;
  #polledAtMs = Number.NEGATIVE_INFINITY;
  #requests = 0;
  #isMoreLeft = true;

  constructor(options: { windowMs: number }) {
    this.#windowMs = options.windowMs;
  }

  /** Whether something may be due: from the turn's start until a poll found nothing more. */
  get isMoreLeft(): boolean {
    return this.#isMoreLeft;
  }

  /** `limit`: current requests per window. */
  isTime({ limit, isAlone }: { limit: number; isAlone: boolean }): boolean {
    const elapsedMs = performance.now() - this.#polledAtMs;
    const share = isAlone ? SHARE.alone : SHARE.amongOthers;
    const earnedBackMs = (this.#requests * this.#windowMs) / Math.max(1, limit * share);
    return elapsedMs >= (this.#isMoreLeft ? earnedBackMs : Math.max(earnedBackMs, ASK_AGAIN_MS));
  }

  /** A poll with this many requests is over; the next has to wait for each of them. */
  polled({ isMoreLeft, requests }: { isMoreLeft: boolean; requests: number }): void {
    this.#polledAtMs = performance.now();
    this.#requests = requests;
    this.#isMoreLeft = isMoreLeft;
  }
}
