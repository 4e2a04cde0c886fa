/**
 * Loaded into each of the app's processes (`--import`): writes the longest halt of its event loop so far, in ms, to
 * BENCH_HALTS_FILE. SIGUSR2 starts the measurement again, so that loading the app does not count.
 *
 * A halt is as long as the loop did not turn, and no longer than the processor time its thread used meanwhile: a machine
 * busy with something else does not count, nor do the garbage collector's threads, which work beside the loop.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const TICK_MS = 5;
const TELL_MS = 200;

const file = process.env["BENCH_HALTS_FILE"];

/** Linux tells the first thread's own time, in ns. Elsewhere the whole process's stands in for it, which is never less. */
const THREAD_TIMES = `/proc/self/task/${process.pid}/schedstat`;

function cpuMs() {
  try {
    return Number(readFileSync(THREAD_TIMES, "utf8").split(" ", 1)[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }
}

function watch() {
  let longestMs = 0;
  let toldMs = -1;
  let before = { atMs: performance.now(), cpuMs: cpuMs() };
  const tell = () => {
    if (longestMs === toldMs) return;
    toldMs = longestMs;
    writeFileSync(file, String(longestMs));
  };
  setInterval(() => {
    const now = { atMs: performance.now(), cpuMs: cpuMs() };
    longestMs = Math.max(longestMs, Math.min(now.atMs - before.atMs, now.cpuMs - before.cpuMs));
    before = now;
  }, TICK_MS).unref();
  process.on("SIGUSR2", () => {
    longestMs = 0;
    toldMs = -1;
  });
  process.on("exit", tell);
  setInterval(tell, TELL_MS).unref();
}

if (isMainThread && file !== undefined) watch();
