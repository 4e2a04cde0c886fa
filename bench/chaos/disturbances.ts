import { setTimeout as sleep } from "node:timers/promises";
import { randomFrom, type Random } from "../../src/simulator/world/random.js";
import type { AppProcess } from "./app-process.js";
import { BREAKS } from "./hostile-proxy.js";
import { plan, type DisturbanceKind, type PlannedEvent } from "./plan.js";
import { restoreBackup, type Restore } from "./restore.js";
import type { Stage } from "./stage.js";
import { API_FAULTS, MUTE_FAULTS } from "./workload.js";

/** A busy connection is broken this often while connections break. */
const BREAK_EVERY_MS = 150;
/** How long the workers, then all processes, may take until one is inside a transaction; few of their statements are. */
const TRANSACTION_WITHIN_MS = 4_000;

/** Something done to a process or the network, from begin to end (the same moment for a kill of the app). Epoch ms. */
export interface Disturbance {
  readonly kind: DisturbanceKind;
  readonly target: string;
  readonly beganAtMs: number;
  endedAtMs: number | undefined;
}

/** Kills, pauses, cuts and mutes every few seconds, in an order that the seed decides, until told to stop. */
export class Disturber {
  readonly log: Disturbance[] = [];
  readonly restores: Restore[] = [];
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

  /**
   * Ends the disturbances; resolves once paused processes go on, the database is up and HubSpot answers as before.
   *
   * @throws what kept a disturbance from being ended.
   */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await Promise.all(this.#underWay);
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #run(): Promise<void> {
    for (const event of plan(this.#random)) {
      if (!(await this.#wait(event.afterMs))) return;
      // A restore replaces what the others disturb: it has the stage for itself.
      if (event.kind === "restore a backup") await Promise.all(this.#underWay);
      const task = this.#disturb(event);
      if (event.kind === "restore a backup") await task;
    }
  }

  /** False once told to stop. */
  async #wait(ms: number): Promise<boolean> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    return !this.#stop.signal.aborted;
  }

  #disturb(event: PlannedEvent): Promise<void> {
    const task = this.#carryOut(event)
      .catch((error: unknown) => {
        this.#fault ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
    return task;
  }

  #carryOut(event: PlannedEvent): Promise<void> {
    const { webs, workers } = this.#stage;
    switch (event.kind) {
      case "kill web":
        return this.#kill(event, choose(webs.filter(isUp), event));
      case "kill worker":
        return this.#kill(event, choose(workers.filter(isUp), event));
      case "kill database":
      case "restart database":
        return this.#takeDatabaseDown(event);
      case "pause worker":
        return this.#pause(event, choose(this.#pausable(workers), event));
      case "pause in a transaction":
        return this.#pauseInTransaction(event);
      case "break connections":
        return this.#breakConnections(event);
      case "mute HubSpot":
        return this.#muteHubSpot(event);
      case "restore a backup":
        return this.#restore(event);
    }
  }

  #note({ kind }: PlannedEvent, target: string): Disturbance {
    const disturbance: Disturbance = { kind, target, beganAtMs: Date.now(), endedAtMs: undefined };
    this.log.push(disturbance);
    this.#onBegin(disturbance);
    return disturbance;
  }

  /** Notes a disturbance, waits for as long as it lasts, ends it by `end`, whatever happens meanwhile. */
  async #last(event: PlannedEvent, target: string, end: () => unknown): Promise<void> {
    const disturbance = this.#note(event, target);
    try {
      await this.#wait(event.lastsMs);
    } finally {
      await end();
      disturbance.endedAtMs = Date.now();
    }
  }

  async #kill(event: PlannedEvent, target: AppProcess | undefined): Promise<void> {
    const ended = target?.ended();
    if (target?.signal("SIGKILL") !== true) return;
    // Answers that had left it already are no sign of recovery: time runs from its end.
    await ended;
    const disturbance = this.#note(event, target.name);
    disturbance.endedAtMs = disturbance.beganAtMs;
  }

  /** One worker at least goes on, so that there is a successor. */
  #pausable(apps: readonly AppProcess[]): AppProcess[] {
    const { workers } = this.#stage;
    const isLast = (app: AppProcess): boolean => workers.includes(app) && workers.filter(isUp).length < 2;
    return apps.filter((app) => app.isUp && !isLast(app));
  }

  async #pause(event: PlannedEvent, target: AppProcess | undefined): Promise<void> {
    if (target?.pause() !== true) return;
    await this.#last(event, target.name, () => {
      target.resume();
    });
  }

  async #pauseInTransaction(event: PlannedEvent): Promise<void> {
    const { webs, workers } = this.#stage;
    const target =
      (await this.#stopInsideTransaction(workers)) ??
      (await this.#stopInsideTransaction([...webs, ...workers]));
    if (target === undefined) return;
    await this.#last(event, target.name, () => {
      target.resume();
    });
  }

  /** Stops whichever process is the first to have a statement of a transaction answered; undefined if none comes. */
  async #stopInsideTransaction(apps: readonly AppProcess[]): Promise<AppProcess | undefined> {
    const { connections } = this.#stage;
    let stopped: AppProcess | undefined;
    const found = new AbortController();
    for (const app of this.#pausable(apps)) {
      connections.get(app)?.onTransaction(() => {
        if (stopped !== undefined || !this.#pausable([app]).includes(app) || !app.pause()) return;
        stopped = app;
        found.abort();
      });
    }
    const signal = AbortSignal.any([found.signal, this.#stop.signal]);
    await sleep(TRANSACTION_WITHIN_MS, undefined, { signal }).catch(() => undefined);
    for (const proxy of connections.values()) proxy.onTransaction(undefined);
    return stopped;
  }

  async #takeDatabaseDown(event: PlannedEvent): Promise<void> {
    const { database } = this.#stage;
    if (!database.isUp) return;
    await (event.kind === "kill database" ? database.kill() : database.stop());
    await this.#last(event, "database", () => database.start());
  }

  async #breakConnections(event: PlannedEvent): Promise<void> {
    const proxies = [...this.#stage.connections.values()];
    if (proxies.length === 0) return;
    const random = randomFrom(Math.floor(event.pick * 2 ** 31));
    const timer = setInterval(() => {
      const muteMs = random.between(1_000, 7_000);
      random.pick(proxies).breakOne(random.pick(BREAKS), { choice: random.next(), muteMs });
    }, BREAK_EVERY_MS);
    await this.#last(event, "database connections", () => {
      clearInterval(timer);
    });
  }

  async #muteHubSpot(event: PlannedEvent): Promise<void> {
    const { simulator } = this.#stage;
    simulator.setFaults(MUTE_FAULTS);
    await this.#last(event, "HubSpot", () => {
      simulator.setFaults(API_FAULTS);
    });
  }

  async #restore(event: PlannedEvent): Promise<void> {
    if (!this.#stage.database.isUp) return;
    const restore = await restoreBackup(this.#stage, {
      waitForAge: () => this.#wait(event.lastsMs),
      onStop: () => this.#note(event, "everything"),
    });
    if (restore !== undefined) this.restores.push(restore);
  }
}

function isUp(app: AppProcess): boolean {
  return app.isUp;
}

function choose<T>(candidates: readonly T[], { pick }: PlannedEvent): T | undefined {
  return candidates[Math.floor(pick * candidates.length)];
}
