import { setImmediate as nextTurn } from "node:timers/promises";

/** Work in slices awaits this between two slices: it continues at once, or after a turn of the event loop. */
export type Breathe = () => Promise<void>;

/** How long requests, timers and heartbeats may wait. */
const SLICE_MS = 5;

/**
 * Lets the event loop turn every few milliseconds of work, however many tasks run at the same time: tasks that share a
 * breather share its time.
 */
export function createBreather(): Breathe {
  let turnBeganAtMs: number | undefined;

  return async () => {
    for (;;) {
      if (turnBeganAtMs === undefined) {
        turnBeganAtMs = performance.now();
        setImmediate(() => (turnBeganAtMs = undefined));
      }
      if (performance.now() - turnBeganAtMs < SLICE_MS) return;
      await nextTurn();
    }
  };
}
