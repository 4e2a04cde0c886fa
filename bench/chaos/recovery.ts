import type { Simulator } from "../../src/simulator/simulator.js";
import type { Disturbance } from "./disturbances.js";
import type { DisturbanceKind } from "./plan.js";

/** How long it took after a disturbance until HubSpot saw the app work again. */
export interface Recovery {
  readonly kind: DisturbanceKind;
  readonly what: "a call accepted" | "every portal at work";
  readonly tookMs: number;
}

/** What keeps calls from being accepted. */
const STOPS_CALLS: ReadonlySet<DisturbanceKind> = new Set([
  ...(["kill web", "kill database", "restart database", "break connections", "restore a backup"] as const),
]);

interface Waiting {
  readonly kind: DisturbanceKind;
  readonly what: Recovery["what"];
  readonly sinceMs: number;
  /** Portals HubSpot has not heard from since; unused for calls. */
  readonly silent: Set<number>;
}

/**
 * Measures recovery as HubSpot sees it: after a disturbance of a worker or the database, until every portal with work
 * left has seen an enrollment or a completion; after one of a web process or the database, until a call is accepted.
 * Disturbances overlap, so a figure can hold the effect of several.
 */
export class RecoveryWatch {
  readonly recoveries: Recovery[] = [];
  readonly #simulator: Simulator;
  readonly #hasWork: (portalId: number) => boolean;
  #waiting: Waiting[] = [];

  constructor(simulator: Simulator, hasWork: (portalId: number) => boolean) {
    this.#simulator = simulator;
    this.#hasWork = hasWork;
    simulator.signals.on("enrolled", ({ portalId }) => {
      this.#heardFrom(portalId);
    });
    simulator.signals.on("completed", ({ portalId }) => {
      this.#heardFrom(portalId);
    });
    simulator.signals.on("execution", ({ state }) => {
      if (state === "blocked") this.#settle(({ what }) => what === "a call accepted");
    });
  }

  begin({ kind }: Disturbance): void {
    const sinceMs = performance.now();
    const silent = new Set([...this.#simulator.portals.keys()].filter(this.#hasWork));
    if (kind !== "kill web" && silent.size > 0)
      this.#waiting.push({ kind, what: "every portal at work", sinceMs, silent });
    if (STOPS_CALLS.has(kind))
      this.#waiting.push({ kind, what: "a call accepted", sinceMs, silent: new Set() });
  }

  #heardFrom(portalId: number): void {
    for (const { silent } of this.#waiting) silent.delete(portalId);
    this.#settle(({ what, silent }) => what === "every portal at work" && silent.size === 0);
  }

  #settle(isOver: (waiting: Waiting) => boolean): void {
    for (const { kind, what, sinceMs } of this.#waiting.filter(isOver))
      this.recoveries.push({ kind, what, tookMs: performance.now() - sinceMs });
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting));
  }
}
