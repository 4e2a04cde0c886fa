import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { Polled } from "#worker/watch/watch-poll.js";
import { WatchPace } from "#worker/watch/watch-pace.js";

/** One step of work besides enrolling. `isAlone` while the portal has nothing to enroll. */
export type SidePoll = (gateway: PortalGateway, isAlone: boolean) => Promise<Polled>;

/**
 * Work of a turn besides enrolling, such as unenrolling: one step at a time, each followed by a rest, as with looks.
 */
export class SideWork {
  readonly #poll: SidePoll;
  readonly #pace: WatchPace;
  #underWay: Promise<void> | undefined;

  constructor({ poll, windowMs }: { poll: SidePoll; windowMs: number }) {
    this.#poll = poll;
    this.#pace = new WatchPace({ windowMs });
  }

  /** Never rejects; undefined while nothing of it is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** Nothing is under way, and the last step left nothing due. */
  get isIdle(): boolean {
    return this.#underWay === undefined && !this.#pace.isMoreLeft;
  }

  /** Begins the next step if it is time for one. */
  beginIfTime(
    budget: { limit: number; isAlone: boolean },
    to: {
      gateway: () => PortalGateway;
      onPolled: (polled: Polled) => void;
      onFault: (fault: unknown) => void;
    },
  ): void {
    if (this.#underWay !== undefined || !this.#pace.isTime(budget)) return;
    this.#underWay = this.#poll(to.gateway(), budget.isAlone)
      .then((polled) => {
        this.#pace.polled(polled);
        to.onPolled(polled);
      })
      .catch(to.onFault)
      .finally(() => {
        this.#underWay = undefined;
      });
  }
}
