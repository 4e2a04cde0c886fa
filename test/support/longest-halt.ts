import { monitorEventLoopDelay } from "node:perf_hooks";

const TICK_MS = 5;

/**
 * Watches how long the event loop of this process halts.
 *
 * @returns ends the watch and tells the longest halt, in ms: what the loop did not turn for, and at most the processor
 *   time this process used meanwhile, so that a machine busy with something else does not count.
 */
export function watchHalts(): () => number {
  const loop = monitorEventLoopDelay({ resolution: TICK_MS });
  loop.enable();
  let longestMs = 0;
  let before = process.cpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1_000);
    before = process.cpuUsage();
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    loop.disable();
    return Math.min(loop.max / 1e6, longestMs);
  };
}
