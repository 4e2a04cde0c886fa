import { LRUCache } from "lru-cache";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { atMost } from "#platform/memory/at-most.js";
import { PortalShare } from "./portal-share.js";
import { GateVisitor, WaitingLine, type LeaveGate } from "./waiting-line.js";

/** Limits the concurrent requests of all portals of this process. */
export interface FairGate {
  /**
   * Resolves once the portal's next request may be sent. The caller has to leave when the answer has arrived.
   *
   * @returns undefined if the portal was dismissed meanwhile: the request must not be sent.
   */
  enter(portalId: PortalId): Promise<LeaveGate | undefined>;
  /** Dismisses everyone who waits for the portal. */
  dismiss(portalId: PortalId): void;
  /** HubSpot answered a request of the portal. */
  heard(portalId: PortalId): void;
  /** An answer for the portal did not come in time. */
  timedOut(portalId: PortalId): void;
  /** How many concurrent requests the portal may have now. */
  shareOf(portalId: PortalId): number;
}

/**
 * Requests let in per turn of the event loop. A burst of thousands would otherwise keep the loop busy, and every
 * statement of every other portal would wait twice: to be sent and to be answered.
 */
const PER_LOOP_TURN = 8;
/**
 * Requests of one portal let in one after another. Many, if it has many: they end together, and their findings share a
 * statement.
 */
const IN_A_ROW = { newcomer: 8, other: 32 };
/** A portal that answers may take a quarter of the places; portal-share.ts limits all others. */
const LARGEST_SHARE = 1 / 4;
/**
 * A request without an answer for this long gives its place to others: it costs only a connection, and if places were
 * freed only by the timeout, a few portals whose HubSpot hangs would hold all of them. Sooner if its portal has not
 * answered lately: otherwise the first requests of hundreds of portals would hold all places for seconds.
 */
const HANGS_AFTER_MS = { heard: 1_000, unheard: 250 };
/** Hung requests allowed per place, so that connections stay bounded. */
const HANGING_PER_PLACE = 9;
/**
 * A portal some of whose requests hang may have no more of them than this share of the room that is left for such: however
 * many portals hang, together they never use it up.
 */
const SHARE_OF_HANGING_ROOM = 1 / 8;
/** While this share of the places hangs, no portal is trusted before it answers. */
const UNEASY_SHARE = 1 / 4;
/** How many portals' answers are remembered; a forgotten portal starts over. */
const MAX_REMEMBERED = 10_000;

/**
 * A gate with this number of `places`. Portals that have just come are let in first, so that one with few requests does not wait
 * for all that a burst of others has ready; those that go on waiting are let in by turns. No portal has more inside than
 * its share, and what hangs inside takes no place from others.
 */
export function createFairGate({ places }: { places: number }): FairGate {
  return new GateOfTurns(places);
}

class GateOfTurns implements FairGate {
  readonly #places: number;
  readonly #newcomers = new WaitingLine(IN_A_ROW.newcomer);
  readonly #others = new WaitingLine(IN_A_ROW.other);
  readonly #visitors = new Map<PortalId, GateVisitor>();
  readonly #shares = new LRUCache<PortalId, PortalShare>(atMost(MAX_REMEMBERED));
  #taken = 0;
  #hanging = 0;
  #isScheduled = false;

  constructor(places: number) {
    this.#places = places;
  }

  enter(portalId: PortalId): Promise<LeaveGate | undefined> {
    return new Promise((resolve) => {
      const visitor = this.#visitorOf(portalId);
      visitor.waiting.push(resolve);
      if (visitor.waiting.length === 1) this.#newcomers.append(visitor);
      this.#schedule();
    });
  }

  dismiss(portalId: PortalId): void {
    const visitor = this.#visitors.get(portalId);
    visitor?.line?.remove(visitor);
    visitor?.waiting.splice(0).forEach((resolve) => {
      resolve(undefined);
    });
    if (visitor?.isGone) this.#visitors.delete(portalId);
  }

  heard(portalId: PortalId): void {
    this.#share(portalId).heard();
    const visitor = this.#visitors.get(portalId);
    if (visitor !== undefined) this.#lineUpAgain(visitor);
  }

  timedOut(portalId: PortalId): void {
    this.#share(portalId).timedOut();
  }

  shareOf(portalId: PortalId): number {
    const isCalm =
      this.#hanging < this.#places * UNEASY_SHARE && (this.#visitors.get(portalId)?.hanging ?? 0) === 0;
    return this.#share(portalId).size(isCalm);
  }

  #share(portalId: PortalId): PortalShare {
    const known = this.#shares.get(portalId);
    if (known !== undefined) return known;
    const most = Math.max(1, Math.floor(this.#places * LARGEST_SHARE));
    const fresh = new PortalShare({ most, now: () => performance.now() });
    this.#shares.set(portalId, fresh);
    return fresh;
  }

  get #hangingRoom(): number {
    return this.#places * HANGING_PER_PLACE - this.#hanging;
  }

  get #hasRoom(): boolean {
    return this.#taken < this.#places && this.#hangingRoom > 0;
  }

  get #next(): GateVisitor | undefined {
    return this.#newcomers.first ?? this.#others.first;
  }

  #isFull({ portalId, inside, hanging }: GateVisitor): boolean {
    return inside >= this.shareOf(portalId) || hanging > this.#hangingRoom * SHARE_OF_HANGING_ROOM;
  }

  #visitorOf(portalId: PortalId): GateVisitor {
    const known = this.#visitors.get(portalId);
    if (known !== undefined) return known;
    const visitor = new GateVisitor(portalId);
    this.#visitors.set(portalId, visitor);
    return visitor;
  }

  /** Counts a request as inside. @returns a function that ends that. */
  #take(visitor: GateVisitor): LeaveGate {
    this.#taken += 1;
    visitor.inside += 1;
    let isInside = true;
    let isHanging = false;
    const { isHeard } = this.#share(visitor.portalId);
    const timer = setTimeout(
      () => {
        isHanging = true;
        this.#taken -= 1;
        this.#hanging += 1;
        visitor.hanging += 1;
        this.#schedule();
      },
      HANGS_AFTER_MS[isHeard ? "heard" : "unheard"],
    ).unref();
    return () => {
      if (!isInside) return;
      isInside = false;
      clearTimeout(timer);
      visitor.inside -= 1;
      if (isHanging) visitor.hanging -= 1;
      if (isHanging) this.#hanging -= 1;
      else this.#taken -= 1;
      this.#lineUpAgain(visitor);
    };
  }

  /** A portal whose share was used up left the lines: it comes back with a place of its own. */
  #lineUpAgain(visitor: GateVisitor): void {
    if (visitor.isGone) this.#visitors.delete(visitor.portalId);
    else if (visitor.waiting.length > 0 && visitor.line === undefined) this.#others.append(visitor);
    this.#schedule();
  }

  #letIn(visitor: GateVisitor): void {
    const { line } = visitor;
    visitor.waiting.shift()?.(this.#take(visitor));
    const hadItsTurn = line?.countOne() === true;
    if (visitor.waiting.length > 0 && !hadItsTurn) return;
    line?.remove(visitor);
    if (visitor.waiting.length > 0) this.#others.append(visitor);
  }

  #letSomeIn(): void {
    this.#isScheduled = false;
    let count = 0;
    for (let next = this.#next; next !== undefined && this.#hasRoom; next = this.#next) {
      if (this.#isFull(next)) {
        next.line?.remove(next);
      } else {
        if (count === PER_LOOP_TURN) break;
        this.#letIn(next);
        count += 1;
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#hasRoom || this.#next === undefined) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#letSomeIn();
    });
  }
}
