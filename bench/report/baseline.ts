import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figures.js";

const BASELINE = fileURLToPath(new URL("../baseline.json", import.meta.url));
const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

/** What later runs are compared with. Ratios alone: times say something of the machine they were taken on only. */
interface Baseline {
  readonly note: string;
  readonly measuredAt: string;
  readonly machine: Machine;
  /** By figure id. */
  readonly ratios: Readonly<Record<string, number>>;
}

const NOTE =
  "Our ratios over the peer's, or over what is possible; medians of the runs. Saved by npm run bench -- --save-baseline.";

function thisMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    node: process.version,
  };
}

function savedRatios(): Readonly<Record<string, number>> {
  return existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, "utf8")) as Baseline).ratios : {};
}

/** The saved run's ratios, by figure id; empty if none was saved. */
export function readBaseline(): ReadonlyMap<string, number> {
  return new Map(Object.entries(savedRatios()));
}

/** Makes this run what later ones are compared with; what it did not measure keeps its ratio. */
export function saveBaseline(figures: readonly Figure[]): void {
  const measured = figures.flatMap(({ id, ratio }) => (ratio === undefined ? [] : [[id, round(ratio)]]));
  const baseline: Baseline = {
    note: NOTE,
    measuredAt: new Date().toISOString(),
    machine: thisMachine(),
    ratios: { ...savedRatios(), ...(Object.fromEntries(measured) as Record<string, number>) },
  };
  writeFileSync(BASELINE, `${JSON.stringify(baseline, null, 2)}\n`);
}

function round(ratio: number): number {
  return Math.round(ratio * 1_000) / 1_000;
}

/** @returns the file written. */
export function saveResult(figures: readonly Figure[]): string {
  mkdirSync(RESULTS, { recursive: true });
  const run = { measuredAt: new Date().toISOString(), machine: thisMachine(), figures };
  const file = `${RESULTS}/${run.measuredAt.replaceAll(":", "-")}.json`;
  writeFileSync(file, `${JSON.stringify(run, null, 2)}\n`);
  return file;
}
