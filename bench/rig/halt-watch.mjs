/**
 * Loaded into each of the app's processes (`--import`): writes the longest halt of its event loop so far, in ms, to
 * BENCH_HALTS_FILE. SIGUSR2 starts the measurement again, so that loading the app does not count.
 */
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const RESOLUTION_MS = 5;
const TELL_MS = 200;

const file = process.env["BENCH_HALTS_FILE"];

function watch() {
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  let toldMs = -1;
  const tell = () => {
    const longestMs = loop.max / 1e6;
    if (longestMs === toldMs) return;
    toldMs = longestMs;
    writeFileSync(file, String(longestMs));
  };
  process.on("SIGUSR2", () => {
    loop.reset();
    toldMs = -1;
  });
  process.on("exit", tell);
  setInterval(tell, TELL_MS).unref();
}

if (isMainThread && file !== undefined) watch();
