import { readOptions, UsageError } from "./chaos/options.js";
import { runSeed, type RunReport } from "./chaos/run.js";
import { ensureBuilt, type Stage } from "./chaos/stage.js";
import { renderRun, renderSummary } from "./chaos/tables.js";
import { isKept } from "./chaos/verdict.js";

/**
 * The fault suite (`npm run chaos`): the built app as separate web and worker processes on one PostgreSQL, thousands of
 * signed workflow calls over several portals, faults on HubSpot's API, and a `kill -9` of web, worker or database, or a
 * pause longer than a lease, every few seconds. Judged by what the simulated HubSpot saw.
 *
 * Exit code: 0 if nothing was lost and nobody enrolled twice, 1 where not, 2 where it could not be played.
 */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

class Interrupted extends Error {}

/** The first signal ends the run in order; a second one, or any other end of this process, kills what is left by pid. */
function onSignals(): { interrupt: AbortSignal; watch: (stage: Stage) => void } {
  const abort = new AbortController();
  let current: Stage | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(130);
      print("Stopping what was started; a second signal ends at once.");
      abort.abort(new Interrupted(signal));
    });
  }
  process.on("exit", () => current?.killNow());
  return {
    interrupt: abort.signal,
    watch: (stage) => {
      current = stage;
    },
  };
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const { interrupt, watch } = onSignals();
  ensureBuilt();
  const reports: RunReport[] = [];
  for (let seed = options.seed; seed < options.seed + options.seeds; seed += 1) {
    print(
      `Seed ${seed}: ${options.calls} calls, ${options.portals} portals, ${options.webs} web, ${options.workers} workers`,
    );
    const report = await runSeed({ options, seed, interrupt, print, onStage: watch });
    reports.push(report);
    print(renderRun(report));
  }
  if (reports.length > 1) print(renderSummary(reports));
  return reports.every(({ verdict, collapses }) => isKept(verdict) && collapses.length === 0) ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (fault: unknown) => {
    const isExpected = fault instanceof UsageError || fault instanceof Interrupted;
    const text = fault instanceof Error ? (isExpected ? fault.message : fault.stack) : String(fault);
    process.stderr.write(`The chaos run was not played to its end: ${text}\n`);
    process.exit(fault instanceof Interrupted ? 130 : 2);
  },
);
