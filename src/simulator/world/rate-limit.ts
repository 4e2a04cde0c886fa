import type { RateLimit } from "./options.js";

interface Admission {
  readonly admitted: boolean;
  /** Requests left in the window after this one. */
  readonly remaining: number;
}

/**
 * A rolling window over arrival times: a request is admitted while fewer than `requests` were admitted in the
 * `windowMs` before it. One that came exactly `windowMs` ago has left the window. Refused requests take no place.
 */
export class RollingWindow {
  readonly limit: RateLimit;
  /** Arrival times of the admitted, a ring from `#oldest`. */
  readonly #arrivals: Float64Array;
  #oldest = 0;
  #count = 0;
  #peak = 0;

  constructor(limit: RateLimit) {
    this.limit = limit;
    this.#arrivals = new Float64Array(limit.requests);
  }

  admit(nowMs: number): Admission {
    this.#forget(nowMs - this.limit.windowMs);
    if (this.#count >= this.limit.requests) return { admitted: false, remaining: 0 };
    this.#arrivals[(this.#oldest + this.#count) % this.limit.requests] = nowMs;
    this.#count += 1;
    this.#peak = Math.max(this.#peak, this.#count);
    return { admitted: true, remaining: this.limit.requests - this.#count };
  }

  /** Most requests ever seen inside one window. */
  get peak(): number {
    return this.#peak;
  }

  #forget(untilMs: number): void {
    while (this.#count > 0 && (this.#arrivals[this.#oldest] ?? 0) <= untilMs) {
      this.#oldest = (this.#oldest + 1) % this.limit.requests;
      this.#count -= 1;
    }
  }
}

/** One window per portal (there is one app); `undefined` limit admits everything. */
export class RateLimiter {
  #limit: RateLimit | undefined;
  readonly #windows = new Map<number, RollingWindow>();

  constructor(limit: RateLimit | undefined) {
    this.#limit = limit;
  }

  get limit(): RateLimit | undefined {
    return this.#limit;
  }

  /** Starts all windows again. */
  setLimit(limit: RateLimit | undefined): void {
    this.#limit = limit;
    this.#windows.clear();
  }

  admit(portalId: number, nowMs: number): Admission {
    if (this.#limit === undefined) return { admitted: true, remaining: Number.POSITIVE_INFINITY };
    let window = this.#windows.get(portalId);
    if (window === undefined) {
      window = new RollingWindow(this.#limit);
      this.#windows.set(portalId, window);
    }
    return window.admit(nowMs);
  }

  peakOf(portalId: number): number {
    return this.#windows.get(portalId)?.peak ?? 0;
  }
}
