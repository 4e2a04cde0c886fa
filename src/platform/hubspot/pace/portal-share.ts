/**
 * What a portal that has not answered lately may have under way: less if other requests already hang. It is little
 * either way, since hundreds of portals whose HubSpot begins to hang send requests at the same moment, before anything
 * is known about it.
 */
const UNHEARD = { calm: 4, uneasy: 1 };
/** An answer is evidence that further requests will be answered for this long. */
const HEARD_MS = 2_000;
/** After this long without an answer, what was learned of the portal is out of date. */
const LEARNED_MS = 15_000;

/**
 * How many requests of one portal may be under way at once. It begins with few, doubles with each round of answers, and
 * falls to one with an answer that did not come: if a portal's HubSpot hangs, few requests hang with it.
 */
export class PortalShare {
  readonly #most: number;
  readonly #now: () => number;
  #learned: number;
  #heardAtMs = Number.NEGATIVE_INFINITY;

  /** @param options.most what a portal that answers may have at most. */
  constructor(options: { most: number; now: () => number }) {
    this.#most = options.most;
    this.#now = options.now;
    this.#learned = Math.min(options.most, UNHEARD.calm);
  }

  /** HubSpot answered a request. */
  heard(): void {
    const now = this.#now();
    if (now - this.#heardAtMs > LEARNED_MS) this.#learned = Math.min(this.#learned, UNHEARD.calm);
    this.#learned = Math.min(this.#most, this.#learned + 1);
    this.#heardAtMs = now;
  }

  /** The answer to a request did not come in time. */
  timedOut(): void {
    this.#learned = 1;
  }

  /** @param isCalm whether few requests of this process, and none of this portal's, hang at the moment. */
  size(isCalm: boolean): number {
    if (this.isHeard) return this.#learned;
    return Math.min(this.#learned, isCalm ? UNHEARD.calm : UNHEARD.uneasy);
  }

  /** Whether HubSpot has answered lately, so that the next request will likely be answered, too. */
  get isHeard(): boolean {
    return this.#now() - this.#heardAtMs < HEARD_MS;
  }
}
