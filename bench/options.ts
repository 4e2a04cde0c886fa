import { parseArgs } from "node:util";

export const AREAS = ["accept", "drain", "wake", "fairness", "growth", "portals", "start", "pages"] as const;
export type Area = (typeof AREAS)[number];

export interface BenchOptions {
  readonly areas: readonly Area[];
  /** Repetitions whose median counts. */
  readonly rounds: number;
  /** Smaller loads: to see that it works, not for figures. */
  readonly isQuick: boolean;
  readonly isBaseline: boolean;
  readonly profileDir: string | undefined;
  readonly tell: (line: string) => void;
}

export class UsageError extends Error {}

const USAGE = `npm run bench -- [--only ${AREAS.join(",")}] [--rounds 5] [--quick] [--save-baseline] [--profile <folder>]`;

/** Reads the command line. @throws UsageError */
export function readOptions(args: readonly string[], tell: (line: string) => void): BenchOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        rounds: { type: "string" },
        quick: { type: "boolean", default: false },
        "save-baseline": { type: "boolean", default: false },
        profile: { type: "string" },
      },
    }));
  } catch (fault) {
    throw new UsageError(`${fault instanceof Error ? fault.message : String(fault)}\n${USAGE}`);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50)
    throw new UsageError(`--rounds is 1 to 50\n${USAGE}`);
  return {
    areas: values.only === undefined ? AREAS : values.only.split(",").map(toArea),
    rounds,
    isQuick: values.quick,
    isBaseline: values["save-baseline"],
    profileDir: values.profile,
    tell,
  };
}

function toArea(name: string): Area {
  const area = AREAS.find((known) => known === name.trim());
  if (area === undefined) throw new UsageError(`there is no part "${name}"\n${USAGE}`);
  return area;
}
