import type { PortalId } from "#platform/ids/branded-ids.js";

/** Leaves the gate; another call does nothing. */
export type LeaveGate = () => void;

/** A portal with requests at the gate or inside. */
export class GateVisitor {
  readonly portalId: PortalId;
  readonly waiting: ((leave: LeaveGate | undefined) => void)[] = [];
  inside = 0;
  hanging = 0;
  line: WaitingLine | undefined;

  constructor(portalId: PortalId) {
    this.portalId = portalId;
  }

  get isGone(): boolean {
    return this.inside === 0 && this.waiting.length === 0;
  }
}

/** Portals that wait, the next one first. */
export class WaitingLine {
  readonly #visitors = new Set<GateVisitor>();
  readonly #mostInARow: number;
  #inARow = 0;

  /** @param mostInARow requests of one portal let in one after another. */
  constructor(mostInARow: number) {
    this.#mostInARow = mostInARow;
  }

  get first(): GateVisitor | undefined {
    const [first] = this.#visitors;
    return first;
  }

  append(visitor: GateVisitor): void {
    visitor.line = this;
    this.#visitors.add(visitor);
  }

  remove(visitor: GateVisitor): void {
    if (visitor === this.first) this.#inARow = 0;
    visitor.line = undefined;
    this.#visitors.delete(visitor);
  }

  /** Counts one more request of the first portal as let in. @returns whether that was the last of its turn. */
  countOne(): boolean {
    this.#inARow += 1;
    return this.#inARow >= this.#mostInARow;
  }
}
