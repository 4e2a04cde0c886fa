import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figures.js";

const BASELINE = fileURLToPath(new URL("../baseline.json", import.meta.url));
const RESULTS = fileURLToPath(new URL("../results", import.meta.url));

interface SavedRun {
  readonly measuredAt: string;
  readonly machine: Record<string, string | number>;
  readonly figures: readonly Figure[];
}

function asRun(figures: readonly Figure[]): SavedRun {
  const [cpu] = cpus();
  return {
    measuredAt: new Date().toISOString(),
    machine: {
      cpu: cpu?.model ?? "unknown",
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      system: `${platform()} ${arch()}`,
      node: process.version,
    },
    figures,
  };
}

/** The saved run's ratios, by figure id; empty where none was saved. */
export function readBaseline(): ReadonlyMap<string, number> {
  if (!existsSync(BASELINE)) return new Map();
  const { figures } = JSON.parse(readFileSync(BASELINE, "utf8")) as SavedRun;
  return new Map(figures.flatMap(({ id, ratio }) => (ratio === undefined ? [] : [[id, ratio] as const])));
}

/** Makes this run what later ones are compared with; areas it did not measure keep their figures. */
export function saveBaseline(figures: readonly Figure[]): void {
  const before = existsSync(BASELINE) ? (JSON.parse(readFileSync(BASELINE, "utf8")) as SavedRun).figures : [];
  const areas = new Set(figures.map(({ area }) => area));
  const kept = before.filter(({ area }) => !areas.has(area));
  writeFileSync(BASELINE, `${JSON.stringify(asRun([...kept, ...figures]), null, 2)}\n`);
}

/** @returns the file written. */
export function saveResult(figures: readonly Figure[]): string {
  mkdirSync(RESULTS, { recursive: true });
  const run = asRun(figures);
  const file = `${RESULTS}/${run.measuredAt.replaceAll(":", "-")}.json`;
  writeFileSync(file, `${JSON.stringify(run, null, 2)}\n`);
  return file;
}
