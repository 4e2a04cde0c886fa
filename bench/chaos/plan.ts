import type { Random } from "../../src/simulator/world/random.js";

/** How often each kind is among twenty in a row, in an order of chance: no run of some minutes goes without one of them. */
const IN_TWENTY = {
  "kill worker": 4,
  "kill web": 2,
  "kill database": 2,
  "restart database": 2,
  "pause worker": 2,
  "pause in a transaction": 2,
  "break connections": 3,
  "mute HubSpot": 2,
  "restore a backup": 1,
} as const;

export type DisturbanceKind = keyof typeof IN_TWENTY;

export const DISTURBANCES = Object.keys(IN_TWENTY) as DisturbanceKind[];

/** Every few seconds, with gaps long enough now and then for a lease to lapse and a successor to get something done. */
const GAP_MS = [2_500, 8_000] as const;

/** How long each kind lasts; a kill of the app lasts no time. */
const LASTS_MS: Readonly<Record<DisturbanceKind, readonly [number, number]>> = {
  "kill worker": [0, 0],
  "kill web": [0, 0],
  "kill database": [500, 5_000],
  "restart database": [500, 5_000],
  // Longer than a lease: heartbeats lapse after 10 s, and the queue looks every second.
  "pause worker": [14_000, 19_000],
  "pause in a transaction": [14_000, 19_000],
  "break connections": [3_000, 8_000],
  "mute HubSpot": [2_000, 6_000],
  // The age of the backup.
  "restore a backup": [3_000, 8_000],
};

/** One planned event; everything in it comes from the seed alone. */
export interface PlannedEvent {
  readonly afterMs: number;
  readonly kind: DisturbanceKind;
  /** Which of the candidates, from [0, 1). */
  readonly pick: number;
  readonly lastsMs: number;
}

/** The plan of a run, one event at a time, without end. */
export function* plan(random: Random): Generator<PlannedEvent, never> {
  for (;;) {
    const bag = DISTURBANCES.flatMap((kind) => Array.from({ length: IN_TWENTY[kind] }, () => kind));
    while (bag.length > 0) {
      const [kind] = bag.splice(Math.floor(random.between(0, bag.length)), 1) as [DisturbanceKind];
      const afterMs = random.between(...GAP_MS);
      yield { kind, afterMs, pick: random.next(), lastsMs: random.between(...LASTS_MS[kind]) };
    }
  }
}
