import { AsyncLocalStorage } from "node:async_hooks";

/** HubSpot answers within seconds or not usefully; its own edge gives up after 100 s. */
export const ANSWER_TIMEOUT_MS = 15_000;

/** What one request to HubSpot is bound to. */
export interface RequestTerms {
  /** From the moment the request leaves until the last byte of its answer is in, however that comes. */
  readonly timeoutMs: number;
  /** Asked when a connection is at hand, right before the first byte. What it throws keeps the request from being sent. */
  readonly assertMaySend: () => void;
}

/**
 * HubSpot's client hands nothing of ours on to `fetch`, so the terms go along with the asynchronous call and the process's
 * dispatcher finds them here (tune-fetch.ts).
 */
const current = new AsyncLocalStorage<RequestTerms>();

/** The terms of the request under way; undefined for one that has none. */
export function termsOfRequest(): RequestTerms | undefined {
  return current.getStore();
}

/** Makes one request under the terms. */
export function underTerms<T>(terms: RequestTerms, request: () => Promise<T>): Promise<T> {
  return current.run(terms, request);
}
