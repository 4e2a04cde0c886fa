import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/simulator/random.js";
import type { AppProcess } from "./app-process.js";
import type { Stage } from "./stage.js";

export const DISTURBANCES = ["kill worker", "kill web", "kill database", "pause worker"] as const;
export type DisturbanceKind = (typeof DISTURBANCES)[number];

/** Ten in a row hold each kind this often, in an order of chance: no run goes without one of them. */
const IN_TEN: Readonly<Record<DisturbanceKind, number>> = {
  "kill worker": 4,
  "kill web": 2,
  "kill database": 2,
  "pause worker": 2,
};

/** Every few seconds, with gaps long enough now and then for a lease to lapse and a successor to get something done. */
const GAP_MS = [2_500, 8_000] as const;
/** Longer than a lease: heartbeats lapse after 10 s, and the queue looks every second. */
const PAUSE_MS = [14_000, 19_000] as const;
const DATABASE_DOWN_MS = [200, 3_000] as const;

/** Something done to a process, from begin to end (the same moment for a kill of the app). Epoch ms. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  readonly target: string;
  readonly beganAtMs: number;
  endedAtMs: number | undefined;
}

/** One planned event; everything in it comes from the seed alone. */
interface PlannedEvent {
  readonly afterMs: number;
  readonly kind: DisturbanceKind;
  /** Which of the candidates, from [0, 1). */
  readonly pick: number;
  readonly lastsMs: number;
}

/** The plan of a run, one event at a time, without end. */
function* plan(random: Random): Generator<PlannedEvent, never> {
  for (;;) {
    const bag = DISTURBANCES.flatMap((kind) => Array.from({ length: IN_TEN[kind] }, () => kind));
    while (bag.length > 0) {
      const [kind] = bag.splice(Math.floor(random.between(0, bag.length)), 1) as [DisturbanceKind];
      const [least, most] = kind === "pause worker" ? PAUSE_MS : DATABASE_DOWN_MS;
      const afterMs = random.between(...GAP_MS);
      yield { kind, afterMs, pick: random.next(), lastsMs: random.between(least, most) };
    }
  }
}

function choose<T>(candidates: readonly T[], pick: number): T | undefined {
  return candidates[Math.floor(pick * candidates.length)];
}

/** Kills and pauses processes every few seconds, in an order that the seed decides, until told to stop. */
export class Disturber {
  readonly log: Disturbance[] = [];
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #onBegin: (disturbance: Disturbance) => void;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #loop: Promise<void> = Promise.resolve();
  #fault: Error | undefined;

  constructor(options: { stage: Stage; random: Random; onBegin: (disturbance: Disturbance) => void }) {
    this.#stage = options.stage;
    this.#random = options.random;
    this.#onBegin = options.onBegin;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends the disturbances; resolves once paused processes go on and the database is up. @throws where it stays down. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await Promise.all(this.#underWay);
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #run(): Promise<void> {
    for (const event of plan(this.#random)) {
      if (!(await this.#wait(event.afterMs))) return;
      this.#disturb(event);
    }
  }

  /** False once told to stop. */
  async #wait(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    return !this.#stop.signal.aborted;
  }

  #disturb(event: PlannedEvent): void {
    const task = this.#carryOut(event)
      .catch((fault: unknown) => {
        this.#fault ??= fault instanceof Error ? fault : new Error(String(fault));
      })
      .finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
  }

  #carryOut({ kind, pick, lastsMs }: PlannedEvent): Promise<void> {
    const { webs, workers } = this.#stage;
    switch (kind) {
      case "kill web":
        return this.#kill(kind, choose(webs.filter(isUp), pick));
      case "kill worker":
        return this.#kill(kind, choose(workers.filter(isUp), pick));
      case "kill database":
        return this.#killDatabase(lastsMs);
      case "pause worker":
        // One at least goes on, so that there is a successor.
        return workers.filter(isUp).length < 2
          ? Promise.resolve()
          : this.#pause(choose(workers.filter(isUp), pick), lastsMs);
    }
  }

  #note(kind: DisturbanceKind, target: string): Disturbance {
    const disturbance: Disturbance = { kind, target, beganAtMs: Date.now(), endedAtMs: undefined };
    this.log.push(disturbance);
    this.#onBegin(disturbance);
    return disturbance;
  }

  async #kill(kind: DisturbanceKind, target: AppProcess | undefined): Promise<void> {
    const ended = target?.ended();
    if (target?.signal("SIGKILL") !== true) return;
    // Answers that had left it already are no sign of recovery: time runs from its end.
    await ended;
    const disturbance = this.#note(kind, target.name);
    disturbance.endedAtMs = disturbance.beganAtMs;
  }

  async #pause(target: AppProcess | undefined, lastsMs: number): Promise<void> {
    if (target?.pause() !== true) return;
    const disturbance = this.#note("pause worker", target.name);
    await this.#wait(lastsMs);
    target.resume();
    disturbance.endedAtMs = Date.now();
  }

  async #killDatabase(downMs: number): Promise<void> {
    if (!this.#stage.database.isUp) return;
    await this.#stage.database.kill();
    const disturbance = this.#note("kill database", "database");
    await this.#wait(downMs);
    await this.#stage.database.start();
    disturbance.endedAtMs = Date.now();
  }
}

function isUp(app: AppProcess): boolean {
  return app.isUp;
}
