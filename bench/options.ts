import { parseArgs } from "node:util";
import { Halts } from "./rig/halts.js";

/** What can be measured by itself, in the order it is. */
export const PARTS = [
  "accept",
  "drain-1",
  "drain-2",
  "drain-4",
  "drain-around",
  "wake",
  "fairness-one",
  "fairness-many",
  "fairness-hung",
  "fairness-region",
  "takeover",
  "growth",
  "portals",
  "weekend",
  "imports",
  "start",
  "pages",
] as const;
export type Part = (typeof PARTS)[number];

export interface BenchOptions {
  readonly parts: readonly Part[];
  /** Repetitions of each measurement; their median counts. */
  readonly runs: number;
  /** Smaller loads: to see that it works, not for figures. */
  readonly isQuick: boolean;
  readonly isBaseline: boolean;
  readonly profileDir: string | undefined;
  readonly tell: (line: string) => void;
  /** Of the part that is being measured. */
  readonly halts: Halts;
}

export class UsageError extends Error {}

const USAGE = `npm run bench -- [--only <part>,…] [--runs 5] [--quick] [--save-baseline] [--profile <folder>]
Parts: ${PARTS.join(", ")}; "drain" means all of that name.`;

/** Reads the command line. @throws UsageError */
export function readOptions(args: readonly string[], tell: (line: string) => void): BenchOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        runs: { type: "string" },
        quick: { type: "boolean", default: false },
        "save-baseline": { type: "boolean", default: false },
        profile: { type: "string" },
      },
    }));
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
  const runs = Number(values.runs ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(runs) || runs < 1 || runs > 50) throw new UsageError(`--runs is 1 to 50\n${USAGE}`);
  return {
    parts: values.only === undefined ? PARTS : partsOf(values.only),
    runs,
    isQuick: values.quick,
    isBaseline: values["save-baseline"],
    profileDir: values.profile,
    tell,
    halts: new Halts(),
  };
}

function partsOf(only: string): Part[] {
  const names = only.split(",").map((name) => name.trim());
  const belongs = (part: Part, name: string): boolean => part === name || part.startsWith(`${name}-`);
  const unknown = names.find((name) => !PARTS.some((part) => belongs(part, name)));
  if (unknown !== undefined) throw new UsageError(`there is no part "${unknown}"\n${USAGE}`);
  return PARTS.filter((part) => names.some((name) => belongs(part, name)));
}
