import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (fault: unknown) => void;
}

interface GatherOptions<I, O> {
  /** 0: what comes in the same turn of the event loop. A timer would take a millisecond at least. */
  readonly ms: number;
  /** Receives the requests, and answers in the same order; its exceptions reach every caller. */
  readonly run: (items: readonly I[]) => Promise<readonly O[]>;
  /** Maximum per batch; by default everything that waits. */
  readonly most?: number;
  /**
   * Begins a batch while an earlier one is running. For requests to HubSpot: one without an answer for seconds must not
   * hold up the others.
   */
  readonly isConcurrent?: boolean;
}

/**
 * Combines calls within `ms` of each other, or while a batch is running, into one statement or request. One batch at a
 * time, unless `isConcurrent`.
 */
export function gather<I, O>(options: GatherOptions<I, O>): (item: I) => Promise<O> {
  const { ms, run, most = Number.POSITIVE_INFINITY, isConcurrent = false } = options;
  let waiting: Waiting<I, O>[] = [];
  let isRunning = false;

  async function runBatch(batch: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const answers = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as O);
      });
    } catch (error) {
      batch.forEach(({ reject }) => {
        reject(error);
      });
    }
  }

  async function runAll(): Promise<void> {
    while (waiting.length > 0) {
      await (ms === 0 ? turn() : sleep(ms));
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      const running = runBatch(batch);
      if (!isConcurrent) await running;
    }
    isRunning = false;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      void runAll();
    });
}
