import { createWaitingCalls, sizeOf, type WaitingLimits } from "../waiting-calls.js";
import { storeBatch, type StoreBatchOptions, type StoreResult, type WaitingCall } from "./store-batch.js";
import type { IncomingExecution } from "./store-calls.js";

/** The result of a call. `overloaded`: nothing was kept, too much is waiting to be stored, of this portal or of all. */
export type AcceptResult = StoreResult | "overloaded";

export interface AcceptOptions extends StoreBatchOptions {
  /** How much may wait in memory for its commit; by default 64 Mi characters in total and 16 Mi for one portal. */
  limits?: WaitingLimits;
}

/** Rows per shared commit: large enough for a burst, small enough to answer within milliseconds. */
const MAX_ROWS = 500;

/**
 * Stores accepted calls with shared commits: calls that arrive while a commit is under way join the next one. A call is
 * acknowledged only after its own row is committed.
 *
 * @returns a function that resolves once the call's result is durable, and otherwise rejects with the database's fault.
 */
export function createAcceptor(
  options: AcceptOptions,
): (execution: IncomingExecution) => Promise<AcceptResult> {
  const waitingCalls = createWaitingCalls(options.limits);
  let waiting: WaitingCall[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_ROWS);
      waiting = waiting.slice(MAX_ROWS);
      await storeBatch(options, batch);
    }
    isWriting = false;
  }

  return async (execution) => {
    const requestJson = JSON.stringify(execution.request);
    const size = sizeOf(requestJson);
    if (!waitingCalls.add(execution.portalId, size)) return "overloaded";
    try {
      return await new Promise((resolve, reject) => {
        waiting.push({ execution, requestJson, resolve, reject });
        // One turn of the event loop: calls parsed in the same turn share the commit even when nothing was under way.
        if (!isWriting) setImmediate(() => void writeAll());
      });
    } finally {
      waitingCalls.remove(execution.portalId, size);
    }
  };
}
