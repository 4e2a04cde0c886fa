import { setImmediate as nextTurn } from "node:timers/promises";

/** Work in slices comes here between two of them: goes on at once, or once the event loop has turned. */
export type Breathe = () => Promise<void>;

/** What requests, timers and heartbeats may wait for. */
const SLICE_MS = 5;

/**
 * Lets the event loop turn every few milliseconds of work, however many work at the same time: those who share one share
 * the time of a turn.
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
