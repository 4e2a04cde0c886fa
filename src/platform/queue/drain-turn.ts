import type { PortalId } from "#platform/ids/branded-ids.js";

/** One turn with a portal. `signal` aborts when this process must stop at once. */
export type DrainHandler = (portalId: PortalId, turn: DrainTurn) => Promise<TurnEnd>;

/**
 * How a turn ended. `more`: work is left, another turn is due at once; `idle`: nothing more was due; `rest`: the
 * remaining work has to wait (a circuit is open, the grant is gone), and waking the portal now would loop.
 */
export type TurnEnd = "more" | "idle" | "rest";

export interface DrainTurn {
  readonly signal: AbortSignal;
  /** False once this owner has not been able to renew for SELF_FENCE_MS: it must not send anymore. */
  isFresh(): boolean;
  /** True once the process is stopping: finish what is under way and hand over. */
  isEnding(): boolean;
  /** While `onlyWaits` returns true, the turn takes no place from other portals. */
  lendPlaceWhile(onlyWaits: () => boolean): void;
}

/** An owner that could not renew for this long stops sending, well before a successor may start. */
export const SELF_FENCE_MS = 6_000;
