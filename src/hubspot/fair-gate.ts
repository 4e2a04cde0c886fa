/** Leaves the gate; a second call does nothing. */
export type LeaveGate = () => void;

/** Bounds the requests of all portals of this process that are under way at once. */
export interface FairGate {
  /** Resolves once the portal's next request may be sent. The caller has to leave when its answer is in. */
  enter(portalId: bigint): Promise<LeaveGate>;
}

/**
 * Let in per turn of the event loop. A burst of thousands would else keep the loop busy with itself, and every statement
 * of every other portal waits for it twice: to be sent and to be answered.
 */
const PER_LOOP_TURN = 8;
/**
 * Requests of one portal let in one after the other. Many, where it has many: they end together, and what they found
 * shares a statement.
 */
const IN_A_ROW = { newcomer: 8, other: 32 };

/** Portals that wait, the one whose turn it is first. */
class Line {
  readonly #waiting = new Map<bigint, (() => void)[]>();
  readonly #mostInARow: number;
  #inARow = 0;

  constructor(mostInARow: number) {
    this.#mostInARow = mostInARow;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** @returns false where the portal does not wait here. */
  join(portalId: bigint, enter: () => void): boolean {
    const queue = this.#waiting.get(portalId);
    queue?.push(enter);
    return queue !== undefined;
  }

  append(portalId: bigint, queue: (() => void)[]): void {
    this.#waiting.set(portalId, queue);
  }

  /** Lets the next request in. A portal that has had its turn, and still waits, goes to the end of the line `to`. */
  letNextIn(to: Line): void {
    const [next] = this.#waiting;
    if (next === undefined) return;
    const [portalId, queue] = next;
    queue.shift()?.();
    this.#inARow += 1;
    if (queue.length > 0 && this.#inARow < this.#mostInARow) return;
    this.#inARow = 0;
    this.#waiting.delete(portalId);
    if (queue.length > 0) to.append(portalId, queue);
  }
}

/**
 * A gate of so many `places`. Portals that have just come are let in first, so that one with few requests does not wait
 * for all that a burst of others has ready; those that go on waiting are let in by turns.
 */
export function createFairGate({ places }: { places: number }): FairGate {
  const newcomers = new Line(IN_A_ROW.newcomer);
  const others = new Line(IN_A_ROW.other);
  let taken = 0;
  let isScheduled = false;

  function mayLetIn(): boolean {
    return taken < places && !(newcomers.isEmpty && others.isEmpty);
  }

  function letIn(): void {
    isScheduled = false;
    for (let count = 0; count < PER_LOOP_TURN && mayLetIn(); count += 1) {
      taken += 1;
      (newcomers.isEmpty ? others : newcomers).letNextIn(others);
    }
    schedule();
  }

  function schedule(): void {
    if (isScheduled || !mayLetIn()) return;
    isScheduled = true;
    setImmediate(letIn);
  }

  function leaveOnce(): LeaveGate {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      taken -= 1;
      schedule();
    };
  }

  return {
    enter(portalId) {
      return new Promise((resolve) => {
        const enter = (): void => {
          resolve(leaveOnce());
        };
        if (!newcomers.join(portalId, enter) && !others.join(portalId, enter))
          newcomers.append(portalId, [enter]);
        schedule();
      });
    },
  };
}
