import { startApp } from "../../src/app.js";
import { readConfig } from "../../src/config.js";
import { createLogger } from "#platform/observability/logger.js";
import { QUICK_ENTRIES } from "./own-flows-stage.js";
import { QUICK } from "./unenroll-stage.js";

/** What the parent sends to a worker that is to die before a step of unenrolling, or to live. */
export interface WorkerTask {
  readonly environment: Readonly<Record<string, string>>;
  /** The step before which it kills itself, as soon as it comes to it; undefined: it never does. */
  readonly diesBefore: string | undefined;
}

process.once("message", ({ environment, diesBefore }: WorkerTask) => {
  const onStep = (step: string): void => {
    if (step === diesBefore) process.kill(process.pid, "SIGKILL");
  };
  void startApp(
    readConfig({ ...environment, ROLE: "worker", PORT: "0" }),
    createLogger({ level: "silent" }),
    { believeNoneAfterMs: 0, unenrolling: { times: QUICK, onStep }, entryTimes: QUICK_ENTRIES },
  ).then(() => process.send?.("ready"));
});
