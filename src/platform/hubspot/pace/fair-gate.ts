import { LRUCache } from "lru-cache";
import { atMost } from "#platform/memory/at-most.js";
import { PortalShare } from "./portal-share.js";

/** Leaves the gate; another call does nothing. */
export type LeaveGate = () => void;

/** Limits the concurrent requests of all portals of this process. */
export interface FairGate {
  /**
   * Resolves once the portal's next request may be sent. The caller has to leave when the answer has arrived.
   *
   * @returns undefined if the portal was dismissed meanwhile: the request must not be sent.
   */
  enter(portalId: bigint): Promise<LeaveGate | undefined>;
  /** Dismisses everyone who waits for the portal. */
  dismiss(portalId: bigint): void;
  /** HubSpot answered a request of the portal. */
  heard(portalId: bigint): void;
  /** An answer for the portal did not come in time. */
  timedOut(portalId: bigint): void;
  /** How many concurrent requests the portal may have now. */
  shareOf(portalId: bigint): number;
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

/** A portal with requests at the gate or inside. */
class Visitor {
  readonly portalId: bigint;
  readonly waiting: ((leave: LeaveGate | undefined) => void)[] = [];
  inside = 0;
  hanging = 0;
  line: Line | undefined;

  constructor(portalId: bigint) {
    this.portalId = portalId;
  }

  get isGone(): boolean {
    return this.inside === 0 && this.waiting.length === 0;
  }
}

/** Waiting portals, the next one first. */
class Line {
  readonly #visitors = new Set<Visitor>();
  readonly #mostInARow: number;
  #inARow = 0;

  constructor(mostInARow: number) {
    this.#mostInARow = mostInARow;
  }

  get first(): Visitor | undefined {
    const [first] = this.#visitors;
    return first;
  }

  append(visitor: Visitor): void {
    visitor.line = this;
    this.#visitors.add(visitor);
  }

  remove(visitor: Visitor): void {
    if (visitor === this.first) this.#inARow = 0;
    visitor.line = undefined;
    this.#visitors.delete(visitor);
  }

  /** Lets the first one's next request in. @returns whether that was the last of its turn. */
  countOne(): boolean {
    this.#inARow += 1;
    return this.#inARow >= this.#mostInARow;
  }
}

/**
 * A gate of so many `places`. Portals that have just come are let in first, so that one with few requests does not wait
 * for all that a burst of others has ready; those that go on waiting are let in by turns. No portal has more inside than
 * its share, and what hangs inside takes no place from others.
 */
export function createFairGate({ places }: { places: number }): FairGate {
  const newcomers = new Line(IN_A_ROW.newcomer);
  const others = new Line(IN_A_ROW.other);
  const visitors = new Map<bigint, Visitor>();
  const shares = new LRUCache<bigint, PortalShare>(atMost(MAX_REMEMBERED));
  let taken = 0;
  let hanging = 0;
  let isScheduled = false;

  function share(portalId: bigint): PortalShare {
    const known = shares.get(portalId);
    if (known !== undefined) return known;
    const most = Math.max(1, Math.floor(places * LARGEST_SHARE));
    const fresh = new PortalShare({ most, now: () => performance.now() });
    shares.set(portalId, fresh);
    return fresh;
  }

  function shareOf(portalId: bigint): number {
    const isCalm = hanging < places * UNEASY_SHARE && (visitors.get(portalId)?.hanging ?? 0) === 0;
    return share(portalId).size(isCalm);
  }

  const hangingRoom = (): number => places * HANGING_PER_PLACE - hanging;

  function isFull({ portalId, inside, hanging: own }: Visitor): boolean {
    return inside >= shareOf(portalId) || own > hangingRoom() * SHARE_OF_HANGING_ROOM;
  }

  const nextVisitor = (): Visitor | undefined => newcomers.first ?? others.first;
  const hasRoom = (): boolean => taken < places && hangingRoom() > 0;

  function visitorOf(portalId: bigint): Visitor {
    const known = visitors.get(portalId);
    if (known !== undefined) return known;
    const visitor = new Visitor(portalId);
    visitors.set(portalId, visitor);
    return visitor;
  }

  /** Counts a request as inside. @returns a function that ends that. */
  function take(visitor: Visitor): LeaveGate {
    taken += 1;
    visitor.inside += 1;
    let isInside = true;
    let isHanging = false;
    const { isHeard } = share(visitor.portalId);
    const timer = setTimeout(
      () => {
        isHanging = true;
        taken -= 1;
        hanging += 1;
        visitor.hanging += 1;
        schedule();
      },
      HANGS_AFTER_MS[isHeard ? "heard" : "unheard"],
    ).unref();
    return () => {
      if (!isInside) return;
      isInside = false;
      clearTimeout(timer);
      visitor.inside -= 1;
      if (isHanging) visitor.hanging -= 1;
      if (isHanging) hanging -= 1;
      else taken -= 1;
      lineUpAgain(visitor);
    };
  }

  /** A portal whose share was used up left the lines: it comes back with a place of its own. */
  function lineUpAgain(visitor: Visitor): void {
    if (visitor.isGone) visitors.delete(visitor.portalId);
    else if (visitor.waiting.length > 0 && visitor.line === undefined) others.append(visitor);
    schedule();
  }

  function letIn(visitor: Visitor): void {
    const { line } = visitor;
    visitor.waiting.shift()?.(take(visitor));
    const hadItsTurn = line?.countOne() === true;
    if (visitor.waiting.length > 0 && !hadItsTurn) return;
    line?.remove(visitor);
    if (visitor.waiting.length > 0) others.append(visitor);
  }

  function letSomeIn(): void {
    isScheduled = false;
    let count = 0;
    for (let next = nextVisitor(); next !== undefined && hasRoom(); next = nextVisitor()) {
      if (isFull(next)) {
        next.line?.remove(next);
      } else {
        if (count === PER_LOOP_TURN) break;
        letIn(next);
        count += 1;
      }
    }
    schedule();
  }

  function schedule(): void {
    if (isScheduled || !hasRoom() || nextVisitor() === undefined) return;
    isScheduled = true;
    setImmediate(letSomeIn);
  }

  return {
    enter(portalId) {
      return new Promise((resolve) => {
        const visitor = visitorOf(portalId);
        visitor.waiting.push(resolve);
        if (visitor.waiting.length === 1) newcomers.append(visitor);
        schedule();
      });
    },
    dismiss(portalId) {
      const visitor = visitors.get(portalId);
      visitor?.line?.remove(visitor);
      visitor?.waiting.splice(0).forEach((resolve) => {
        resolve(undefined);
      });
      if (visitor?.isGone) visitors.delete(portalId);
    },
    heard(portalId) {
      share(portalId).heard();
      const visitor = visitors.get(portalId);
      if (visitor !== undefined) lineUpAgain(visitor);
    },
    timedOut(portalId) {
      share(portalId).timedOut();
    },
    shareOf,
  };
}
