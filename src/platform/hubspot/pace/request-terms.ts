/** HubSpot answers within seconds, or not in time to be useful; its own edge gives up after 100 s. */
export const ANSWER_TIMEOUT_MS = 15_000;

/** What one request to HubSpot is bound to. */
export interface RequestTerms {
  /** From the moment the request leaves until the last byte of its answer is in, however that comes. */
  readonly timeoutMs: number;
  /** Asked when there is a connection, right before the first byte. What it throws keeps the request from being sent. */
  readonly assertMaySend: () => void;
}

/**
 * HubSpot's client passes none of our options on to `fetch`, but calls it before it first waits for anything: the terms
 * lie here until then. An AsyncLocalStorage would do the same, but makes every promise of the process more expensive,
 * which costs a tenth of all work.
 */
let current: RequestTerms | undefined;

/** The terms of the request that is being made; undefined for one that has none. */
export function takeTerms(): RequestTerms | undefined {
  const terms = current;
  current = undefined;
  return terms;
}

/** Makes one request under the terms. */
export function underTerms<T>(terms: RequestTerms, request: () => Promise<T>): Promise<T> {
  current = terms;
  try {
    return request();
  } finally {
    current = undefined;
  }
}
