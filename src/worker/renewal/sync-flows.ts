import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type { Ownership } from "#domain/executions/claim.js";
import { readActionTypes } from "#domain/flows/action-types.js";
import { areFlowsDue, readFlowsState, type FlowsState } from "#domain/flows/flow-state.js";
import { createFlowStore, type FlowStore } from "#domain/flows/flow-store.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { backoffMs } from "#platform/queue/backoff.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { atMost } from "#platform/memory/at-most.js";
import { FlowRenewal } from "./flow-renewal.js";
import { RenewalPace } from "./renewal-pace.js";
import { InTurn } from "./in-turn.js";

/** A twentieth of the window: names of workflows can wait, contacts cannot. */
const SHARE = { atOnce: 0.05, perWindow: 0.05 };
/** However small the budget: the list, the steps and the numbers of an ordinary account. */
const LEAST_AT_ONCE = 3;
/** A failed renewal is tried again after growing gaps. */
const RETRY = { baseMs: 30_000, capMs: 30 * 60_000 };
/** How many portals' failures are counted; for a forgotten one the gaps start again at the shortest. */
const MAX_FAILING = 5_000;
/** How many renewals are kept for their portal's next turn; a forgotten one starts again. */
const MAX_UNDER_WAY = 1_000;

/** A portal, held by its owner for one turn. */
export interface FlowPortal {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
  readonly budget: Pick<RequestBudget, "limit" | "windowMs">;
  /** As the turn found it; undefined: the account is gone. */
  readonly state: FlowsState | undefined;
  /** False as soon as no further request may be begun for it. */
  readonly mayGoOn: () => boolean;
}

interface UnderWay {
  readonly renewal: FlowRenewal;
  readonly pace: RenewalPace;
}

export interface FlowKeeperOptions {
  readonly logger: Logger;
  /** Bounds the list; by default as in production. */
  readonly mostPages?: number | undefined;
}

/** Keeps the copies of workflows of this process's portals current: renewals continue from turn to turn. */
export class FlowKeeper {
  readonly #options: FlowKeeperOptions;
  readonly #underWay = new LRUCache<PortalId, UnderWay>({ max: MAX_UNDER_WAY });
  readonly #failures = new LRUCache<PortalId, number>(atMost(MAX_FAILING));
  readonly #inTurn = new InTurn();

  constructor(options: FlowKeeperOptions) {
    this.#options = options;
  }

  /**
   * Continues the portal's renewal, or begins one, until the copy is current or the turn ends. Never fails: problems are
   * logged, and the copy we have stays in use.
   */
  keep(portal: FlowPortal): Promise<void> {
    const { portalId } = portal.owner;
    if (!areFlowsDue(portal.state)) {
      this.#underWay.delete(portalId);
      return Promise.resolve();
    }
    // The request that the last turn was waiting for may still be in flight.
    return this.#inTurn.run(portalId, () => this.#renew(portal));
  }

  async #renew(portal: FlowPortal): Promise<void> {
    const { pool, portalId } = portal.owner;
    const store = createFlowStore(portal.owner);
    try {
      let { state } = portal;
      // Again if it was requested while it was made: it may lack what was requested.
      while (areFlowsDue(state) && portal.mayGoOn()) {
        if (!(await this.#copyOnce(portal, store))) return;
        state = await readFlowsState(pool, portalId);
      }
    } catch (error) {
      this.#underWay.delete(portalId);
      // The next owner begins again.
      if (error instanceof LeaseLost) return;
      this.#options.logger.warn({ err: error, portalId }, "the workflows could not be read");
      const told = { problem: "UNAVAILABLE", report: { leftOut: 0 } } as const;
      await store.postpone(this.#nextDelayMs(portalId), told).catch(() => undefined);
    }
  }

  /** @returns false if it has to continue in a later turn. */
  async #copyOnce({ owner, budget, gateway, mayGoOn }: FlowPortal, store: FlowStore): Promise<boolean> {
    const { portalId } = owner;
    const underWay = await this.#begun(owner, budget);
    if (underWay === undefined) return false;
    const { renewal, pace } = underWay;
    while (!renewal.isRead) {
      const waitMs = pace.take();
      if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
      if (!mayGoOn()) return false;
      await renewal.step({ gateway, store });
    }
    const { report, isPutOff } = await renewal.finish({ store }, () => this.#nextDelayMs(portalId));
    if (report.leftOut > 0)
      this.#options.logger.warn(
        { portalId, leftOut: report.leftOut },
        "workflows or steps of an unknown form were left out",
      );
    this.#underWay.delete(portalId);
    if (!isPutOff) this.#failures.delete(portalId);
    return true;
  }

  async #begun(
    { pool, portalId }: Ownership,
    budget: Pick<RequestBudget, "limit" | "windowMs">,
  ): Promise<UnderWay | undefined> {
    const known = this.#underWay.get(portalId);
    if (known !== undefined) return known;
    const [state, types] = await Promise.all([readFlowsState(pool, portalId), readActionTypes(pool)]);
    if (state === undefined) return undefined;
    const { mostPages } = this.#options;
    const begun = {
      renewal: new FlowRenewal({ startedAt: state.now, types, mostPages }),
      pace: new RenewalPace(budget, SHARE, LEAST_AT_ONCE),
    };
    this.#underWay.set(portalId, begun);
    return begun;
  }

  #nextDelayMs(portalId: PortalId): number {
    const failures = (this.#failures.get(portalId) ?? 0) + 1;
    this.#failures.set(portalId, failures);
    return backoffMs(failures, RETRY);
  }
}
