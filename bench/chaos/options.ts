import { parseArgs } from "node:util";
import { KIND_WORLD, UNKIND_WORLD, type WorldPreset } from "../../src/simulator/world/presets.js";

/**
 * Without a `Retry-After` of months: the app waits a quarter of an hour for it, which is longer than any run. It has tests
 * of its own.
 */
const UNKIND_IN_TIME: WorldPreset = {
  ...UNKIND_WORLD,
  openQuestions: { ...UNKIND_WORLD.openQuestions, retryAfter: "garbled" },
};

const WORLDS = { kind: KIND_WORLD, unkind: UNKIND_IN_TIME } as const;
const ENDED_ENROLLMENTS = { latest: "latest", "404": 404, empty: "empty" } as const;

/** What one invocation of `npm run chaos` does. */
export interface ChaosOptions {
  /** First seed; with `seeds` above 1 the following numbers come after it. */
  readonly seed: number;
  readonly seeds: number;
  /** Workflow calls of one run, spread evenly over the portals. */
  readonly calls: number;
  readonly portals: number;
  readonly webs: number;
  readonly workers: number;
  /** Longest time in which processes are killed; what is open after it gets a calm end. */
  readonly minutes: number;
  /** How HubSpot answers where its documents are silent. */
  readonly world: WorldPreset;
  /** Enrollments in 24 hours of each sender; 0: as many as the run has, so that no contact is refused for it. */
  readonly cap: number;
  /** Keep the processes' logs of a good run too. */
  readonly keepLogs: boolean;
}

export const USAGE = `npm run chaos -- [--seed 1] [--seeds 1] [--calls 3000] [--portals 4] [--webs 1] [--workers 2]
                 [--minutes 4] [--world unkind|kind] [--ended-enrollment latest|404|empty] [--cap 120] [--keep-logs]`;

/** The options do not make sense; the message says which. */
export class UsageError extends Error {}

function wholeNumber(name: string, text: string, { from, to }: { from: number; to: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw new UsageError(`--${name} must be a whole number from ${from} to ${to}\n${USAGE}`);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seed: { type: "string", default: "1" },
        seeds: { type: "string", default: "1" },
        calls: { type: "string", default: "3000" },
        portals: { type: "string", default: "4" },
        webs: { type: "string", default: "1" },
        workers: { type: "string", default: "2" },
        minutes: { type: "string", default: "4" },
        world: { type: "string", default: "unkind" },
        "ended-enrollment": { type: "string" },
        cap: { type: "string", default: "120" },
        "keep-logs": { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

function oneOf<Choices extends object>(name: string, text: string, choices: Choices): Choices[keyof Choices] {
  if (Object.hasOwn(choices, text)) return choices[text as keyof Choices];
  throw new UsageError(`--${name} is one of ${Object.keys(choices).join(", ")}\n${USAGE}`);
}

function readWorld(name: string, ended: string | undefined): WorldPreset {
  const world = oneOf("world", name, WORLDS);
  if (ended === undefined) return world;
  const endedEnrollment = oneOf("ended-enrollment", ended, ENDED_ENROLLMENTS);
  return { ...world, openQuestions: { ...world.openQuestions, endedEnrollment } };
}

/** Reads the command line. @throws UsageError */
export function readOptions(args: readonly string[]): ChaosOptions {
  const values = parse(args);
  return {
    seed: wholeNumber("seed", values.seed, { from: 0, to: 1_000_000 }),
    seeds: wholeNumber("seeds", values.seeds, { from: 1, to: 100 }),
    calls: wholeNumber("calls", values.calls, { from: 1, to: 100_000 }),
    portals: wholeNumber("portals", values.portals, { from: 1, to: 50 }),
    webs: wholeNumber("webs", values.webs, { from: 1, to: 8 }),
    workers: wholeNumber("workers", values.workers, { from: 1, to: 8 }),
    minutes: wholeNumber("minutes", values.minutes, { from: 1, to: 60 }),
    world: readWorld(values.world, values["ended-enrollment"]),
    cap: wholeNumber("cap", values.cap, { from: 0, to: 1_000_000 }),
    keepLogs: values["keep-logs"],
  };
}
