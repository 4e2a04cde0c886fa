import { ensureBuilt } from "./chaos/stage.js";
import { measureAccept } from "./accept/accept.js";
import { measureDrain, measureDrainAround } from "./drain/drain.js";
import {
  measureFairnessHung,
  measureFairnessRegion,
  measureFairnessMany,
  measureFairnessOne,
} from "./fairness/fairness.js";
import { measureImports } from "./imports/imports.js";
import { measureTakeover } from "./takeover/takeover.js";
import { measureWake } from "./wake/wake.js";
import { Halts } from "./rig/halts.js";
import { measureWeekend } from "./weekend/weekend.js";
import { measurePortals } from "./portals/portals.js";
import { measureStart } from "./start/start.js";
import { measurePages } from "./pages/pages.js";
import { measureGrowth } from "./growth/growth.js";
import { readOptions, UsageError, type Part, type BenchOptions } from "./options.js";
import { readBaseline, saveBaseline, saveResult } from "./report/baseline.js";
import { isBarMet, type Figure } from "./report/figures.js";
import { renderFigures } from "./report/table.js";

/**
 * The performance suite (`npm run bench`): every figure of design §5 measured beside its peer, in one run on one machine.
 * Bench/README.md says what each part does. Exit code: 0 where every bar is met, 1 where not, 2 where it could not run.
 */
const MEASURES: Record<Part, (options: BenchOptions) => Promise<Figure[]>> = {
  accept: measureAccept,
  "drain-1": (options) => measureDrain(1, options),
  "drain-2": (options) => measureDrain(2, options),
  "drain-4": (options) => measureDrain(4, options),
  "drain-around": measureDrainAround,
  wake: measureWake,
  "fairness-one": measureFairnessOne,
  "fairness-many": measureFairnessMany,
  "fairness-hung": measureFairnessHung,
  "fairness-region": measureFairnessRegion,
  takeover: measureTakeover,
  growth: measureGrowth,
  portals: measurePortals,
  weekend: measureWeekend,
  imports: measureImports,
  start: measureStart,
  pages: measurePages,
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function secondsSince(instant: number): string {
  return ((performance.now() - instant) / 1_000).toFixed(0);
}

/** Far more than it takes; a machine on which it takes longer is not one to measure on. */
const LONGEST_MS = 45 * 60_000;

/** @returns false if the part could not be measured: the others are worth having anyway. */
async function measure(part: Part, options: BenchOptions, figures: Figure[]): Promise<boolean> {
  print(part);
  const startedAt = performance.now();
  try {
    const halts = new Halts();
    figures.push(...(await MEASURES[part]({ ...options, halts })), ...halts.figures(part));
    options.tell(`${part} took ${secondsSince(startedAt)} s`);
    return true;
  } catch (error) {
    options.tell(`${part} could not be measured: ${error instanceof Error ? error.stack : String(error)}`);
    return false;
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), (line) => {
    print(`  ${line}`);
  });
  ensureBuilt();
  const figures: Figure[] = [];
  const startedAt = performance.now();
  const report = (): void => {
    print(renderFigures(figures, readBaseline()));
    print(
      `Runs of each: ${options.runs}. Took ${secondsSince(startedAt)} s. Written to ${saveResult(figures)}`,
    );
  };
  setTimeout(() => {
    report();
    print(`Given up: ${options.parts.join(", ")} should have been done by now`);
    process.exit(2);
  }, LONGEST_MS).unref();
  let isComplete = true;
  for (const part of options.parts) isComplete = (await measure(part, options, figures)) && isComplete;
  report();
  if (options.isBaseline) saveBaseline(figures);
  if (!isComplete) return 2;
  return figures.some((figure) => isBarMet(figure) === false) ? 1 : 0;
}

process.setMaxListeners(0);
// Whatever was started goes with this process: each process and the database hang on its `exit`.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

main().then(
  (code) => process.exit(code),
  (fault: unknown) => {
    const text =
      fault instanceof UsageError ? fault.message : fault instanceof Error ? fault.stack : String(fault);
    process.stderr.write(`The bench could not be run to its end: ${text}\n`);
    process.exit(2);
  },
);
