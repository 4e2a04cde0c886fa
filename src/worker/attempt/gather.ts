import { setTimeout as sleep } from "node:timers/promises";

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (fault: unknown) => void;
}

interface GatherOptions<I, O> {
  readonly ms: number;
  /** Gets what was asked, and answers in the same order; what it throws reaches each who asked. */
  readonly run: (items: readonly I[]) => Promise<readonly O[]>;
  /** Most that are asked at once; by default all that wait. */
  readonly most?: number;
  /**
   * Begins a batch while an earlier one is under way. For requests to HubSpot: one that is not answered for seconds must
   * not hold up the others.
   */
  readonly isConcurrent?: boolean;
}

/**
 * Shares one statement, or one request, among those who ask within `ms` of each other, or while one is under way. One at a
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
      await sleep(ms);
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
