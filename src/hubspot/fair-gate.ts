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
/** Requests of one portal let in one after the other: they end together, and what they found shares a statement. */
const IN_A_ROW = 16;

/**
 * A gate of so many `places`. Portals that have just come are let in first, so that one with few requests does not wait
 * for all that a burst of others has ready; those that go on waiting are let in by turns.
 */
export function createFairGate({ places }: { places: number }): FairGate {
  const newcomers = new Map<bigint, (() => void)[]>();
  const others = new Map<bigint, (() => void)[]>();
  let taken = 0;
  let inARow = 0;
  let isScheduled = false;

  function letNextIn(): boolean {
    const line = newcomers.size > 0 ? newcomers : others;
    const [next] = line;
    if (next === undefined) return false;
    const [portalId, queue] = next;
    taken += 1;
    queue.shift()?.();
    inARow = line === others ? inARow + 1 : 0;
    const isTurnOver = line === newcomers || inARow === IN_A_ROW || queue.length === 0;
    if (!isTurnOver) return true;
    inARow = 0;
    line.delete(portalId);
    if (queue.length > 0) others.set(portalId, queue);
    return true;
  }

  function letIn(): void {
    isScheduled = false;
    for (let count = 0; count < PER_LOOP_TURN && taken < places; count += 1) if (!letNextIn()) return;
    schedule();
  }

  function schedule(): void {
    if (isScheduled || taken >= places || newcomers.size + others.size === 0) return;
    isScheduled = true;
    setImmediate(letIn);
  }

  function place(): LeaveGate {
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
          resolve(place());
        };
        const queue = newcomers.get(portalId) ?? others.get(portalId);
        if (queue === undefined) newcomers.set(portalId, [enter]);
        else queue.push(enter);
        schedule();
      });
    },
  };
}
