import { LRUCache } from "lru-cache";
import type { Pool } from "pg";
import { RateLimiterPostgres } from "rate-limiter-flexible";
import type { Logger } from "#platform/observability/logger.js";
import { atMost } from "#platform/memory/at-most.js";
import { refusal, type RefusedRequest } from "./problem.js";

const WINDOW_S = 10;
/**
 * Of the limit, how much a process takes at a time from what all processes share, and then spends by itself. What it
 * took and does not spend is lost to the others until the window ends, and nothing else is: the count in the database
 * never exceeds the limit. So one process refuses nothing early, and five, the most we expect, refuse at most 8 % early.
 */
const TAKEN_SHARE = 0.02;
/** Keys remembered at a time. One that is forgotten costs a statement more. */
const MOST_KEYS = 10_000;

/** What is left to a key after a request. */
export interface Rate {
  readonly isExceeded: boolean;
  readonly limit: number;
  /** Requests that may still come in this window, as far as this process knows. */
  readonly left: number;
  /** Seconds until the window ends, at least 1. */
  readonly endsInS: number;
}

/** Counts a request of a key; undefined: the database did not answer. */
export type CountRequest = (key: string) => Promise<Rate | undefined>;

/** What a process knows of a key's window. */
interface Counter {
  /** Taken and not yet spent. */
  own: number;
  /** Not yet taken by any process. */
  shared: number;
  /** A moment of this process's monotonic clock. */
  endsMs: number;
  /** Requests that wait for more to be taken. */
  waiting: number;
  /** Whether the taking that is under way succeeds. */
  taking: Promise<boolean> | undefined;
}

/**
 * Limits the requests of each key in windows of ten seconds, all processes together. A window begins with its first
 * request. Its end is compared with each machine's own clock: they have to agree within a fraction of it.
 *
 * Requests of a key that wait at the same time share one statement, and a key that has exceeded its limit costs none
 * until the window ends: a flood does not reach the database. If the database fails, requests are let through: whatever
 * they ask it for will be refused as unavailable, which is true, while a 429 would not be.
 */
export function createRateLimit(tools: {
  readonly pool: Pool;
  readonly limit: number;
  readonly logger: Logger;
}): CountRequest {
  const { limit, logger } = tools;
  const store = openStore(tools);
  const step = Math.max(1, Math.floor(limit * TAKEN_SHARE));
  const counters = new LRUCache<string, Counter>(atMost(MOST_KEYS));

  async function take(key: string, counter: Counter): Promise<boolean> {
    const wanted = Math.min(limit, Math.max(step, counter.waiting));
    try {
      // `penalty` counts without refusing: of the last helping, the part within the limit is good.
      const { consumedPoints, msBeforeNext } = await store.penalty(key, wanted);
      counter.own = Math.min(wanted, Math.max(0, limit - (consumedPoints - wanted)));
      counter.shared = Math.max(0, limit - consumedPoints);
      // Another machine's clock may be ahead of ours.
      counter.endsMs = performance.now() + Math.min(msBeforeNext, WINDOW_S * 1000);
      return true;
    } catch (error) {
      logger.warn({ err: error }, "requests of an API key could not be counted");
      return false;
    } finally {
      counter.taking = undefined;
    }
  }

  return async (key) => {
    const counter = counters.get(key) ?? newCounter();
    counters.set(key, counter);
    counter.waiting += 1;
    try {
      while (!isDecided(counter)) if (!(await (counter.taking ??= take(key, counter)))) return undefined;
    } finally {
      counter.waiting -= 1;
    }
    const isExceeded = counter.own === 0;
    if (!isExceeded) counter.own -= 1;
    const endsInS = Math.max(1, Math.ceil((counter.endsMs - performance.now()) / 1000));
    return { isExceeded, limit, left: counter.own + counter.shared, endsInS };
  };
}

const newCounter = (): Counter => ({ own: 0, shared: 0, endsMs: 0, waiting: 0, taking: undefined });

/** Whether a request can be let through or refused without the database. */
function isDecided({ own, shared, endsMs }: Counter): boolean {
  return performance.now() < endsMs && (own > 0 || shared === 0);
}

/** Expired rows are deleted by our sweep, a bounded number at a time; the library's own clearing has no bound. */
function openStore({ pool, limit }: { pool: Pool; limit: number }): RateLimiterPostgres {
  return new RateLimiterPostgres({
    storeClient: pool,
    storeType: "pool",
    tableName: "api_rate_limits",
    tableCreated: true,
    points: limit,
    duration: WINDOW_S,
    keyPrefix: "",
    clearExpiredByTimeout: false,
  });
}

/** Of every answer to a key: the fields of the IETF's draft "RateLimit header fields for HTTP". */
export function rateHeaders({ limit, left, endsInS }: Rate): Readonly<Record<string, string>> {
  return {
    "RateLimit-Policy": `"default";q=${limit};w=${WINDOW_S}`,
    RateLimit: `"default";r=${left};t=${endsInS}`,
  };
}

export function tooManyRequests({ limit, endsInS }: Rate): RefusedRequest {
  return refusal("RATE_LIMITED", {
    detail: `The API key has sent more than ${limit} requests within ${WINDOW_S} seconds.`,
    headers: { "Retry-After": String(endsInS) },
  });
}
