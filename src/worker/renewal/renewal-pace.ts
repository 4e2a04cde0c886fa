import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";

/** Shares of the window's requests: those that may be sent at once, and then per window. */
export interface RenewalShare {
  readonly atOnce: number;
  readonly perWindow: number;
}

/** However small the budget is, a short list is read at once. */
const LEAST_AT_ONCE = 10;

/** Limits a renewal to its share of the portal's requests. */
export class RenewalPace {
  readonly #perMs: number;
  readonly #most: number;
  #tokens: number;
  #countedAtMs = performance.now();

  constructor(
    { limit, windowMs }: Pick<RequestBudget, "limit" | "windowMs">,
    { atOnce, perWindow }: RenewalShare,
    leastAtOnce = LEAST_AT_ONCE,
  ) {
    this.#most = Math.max(leastAtOnce, limit * atOnce);
    this.#perMs = Math.max(1, limit * perWindow) / windowMs;
    this.#tokens = this.#most;
  }

  /** Takes the place of one request, and returns how long to wait before it. */
  take(): number {
    const now = performance.now();
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#countedAtMs) * this.#perMs) - 1;
    this.#countedAtMs = now;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}
