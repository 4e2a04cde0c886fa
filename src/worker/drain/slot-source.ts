import { PortalSpared } from "#platform/hubspot/errors.js";
import type { RequestBudget, RequestSlot } from "#platform/hubspot/pace/request-budget.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";

/** How often at least a request that waits for the budget checks again; slots also become free as answers arrive. */
const LOOK_AGAIN_MS = 250;

/** A slot reserved for an attempt, which may send several requests, or none. */
export interface HeldSlot {
  /** For the attempt's first request, which from then on is responsible for the slot. Called once. */
  use(): RequestSlot;
  /** Frees the slot, unless it was used: its request may still be in flight. */
  giveBack(): void;
}

function hold(slot: RequestSlot): HeldSlot {
  let isUsed = false;
  return {
    use() {
      isUsed = true;
      return slot;
    },
    giveBack() {
      if (!isUsed) slot.giveBack();
    },
  };
}

/**
 * Slots of a portal's budget for the owner's requests. The last check before each request is whether the portal is
 * still ours: an owner that was paused past its lease must not send next to its successor.
 */
export interface SlotSource {
  /** @throws LeaseLost once this owner may not send anymore; PortalSpared while the portal's circuit is open. */
  assertMaySend(): void;
  /** Waits for a slot. @throws what assertMaySend does. */
  take(): Promise<RequestSlot>;
  /** Up to `count` slots free now, leaving `reserve` for others. @throws LeaseLost once this owner may not send anymore. */
  takeFree(count: number, reserve: number): HeldSlot[];
}

export interface SlotSourceOptions {
  portalId: PortalId;
  /** False once this owner has to expect a successor. */
  mayStillSend: () => boolean;
  circuit: Pick<PortalCircuit, "isOpen">;
}

export function createSlotSource(
  budget: RequestBudget,
  { portalId, mayStillSend, circuit }: SlotSourceOptions,
): SlotSource {
  function assertOurs(): void {
    if (!mayStillSend()) throw new LeaseLost(`portal ${portalId} may not be called by this owner anymore`);
  }

  function assertMaySend(): void {
    assertOurs();
    if (circuit.isOpen) throw new PortalSpared();
  }

  return {
    assertMaySend,
    async take() {
      for (;;) {
        assertMaySend();
        const slot = budget.tryTake();
        if (slot !== undefined) return slot;
        const waitMs = Math.min(LOOK_AGAIN_MS, budget.msUntilAvailable());
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    },
    takeFree(count, reserve) {
      assertOurs();
      const free = Math.max(0, Math.min(count, budget.available() - reserve));
      const taken = Array.from({ length: free }, () => budget.tryTake());
      return taken.filter((slot) => slot !== undefined).map(hold);
    },
  };
}
