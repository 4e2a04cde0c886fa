import { setTimeout as sleep } from "node:timers/promises";

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Shares one statement among those who ask within `ms` of each other, or while one is under way. One statement at a time.
 *
 * @param options.run gets all that was asked, and answers in the same order; what it throws reaches each who asked.
 */
export function gather<I, O>(options: {
  ms: number;
  run: (items: readonly I[]) => Promise<readonly O[]>;
}): (item: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = [];
  let isRunning = false;

  async function runAll(): Promise<void> {
    while (waiting.length > 0) {
      await sleep(options.ms);
      const batch = waiting;
      waiting = [];
      try {
        const answers = await options.run(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => {
          resolve(answers[index] as O);
        });
      } catch (fault) {
        batch.forEach(({ reject }) => {
          reject(fault);
        });
      }
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
