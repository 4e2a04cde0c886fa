import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotTimedOut,
  HubSpotUnavailable,
  PortalSpared,
  TokenNotAtHand,
} from "#platform/hubspot/errors.js";
import type { FairGate } from "#platform/hubspot/pace/fair-gate.js";
import { createPortalGateway, type PortalGateway } from "#platform/hubspot/gateway.js";
import { ANSWER_TIMEOUT_MS, type RequestTerms } from "#platform/hubspot/pace/request-terms.js";
import type { RequestBudget, RequestSlot } from "#platform/hubspot/pace/request-budget.js";
import { withoutPersons } from "#platform/hubspot/without-persons.js";
import type { PortalTransport, PortalTransportOptions, TakeSlot } from "#platform/hubspot/transport.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { LONG_WAIT_MS, type PortalCircuit } from "#platform/queue/portal-circuit.js";
import type { HeldSlot, SlotSource } from "./slot-source.js";

export interface PortalCallsOptions {
  portalId: PortalId;
  budget: RequestBudget;
  slots: SlotSource;
  /** Shared by all portals of this process. */
  gate: FairGate;
  circuit: PortalCircuit;
  forPortal: (portal: PortalTransportOptions) => PortalTransport;
}

/**
 * An owner's access to HubSpot for one turn: every request is paced, checked against the lease, and reported to the
 * portal's circuit.
 */
export interface PortalCalls {
  /** A gateway whose first request uses the slot given, if any. */
  gatewayWith(slot?: HeldSlot): PortalGateway;
  /** False once a call showed that the grant is dead or this app is misconfigured: further calls would only fail. */
  isCallable(): boolean;
  /** How many executions may be attempted at once: as many as HubSpot has shown that it answers. */
  mostUnderWay(): number;
  /** Whether this turn only waits for HubSpot now, or for its turn to send. */
  isWaiting(): boolean;
}

/**
 * Until someone gives the app the right credentials, every call fails the same way: one per minute and portal is
 * enough.
 */
const MISCONFIGURED_MS = 60_000;

/**
 * A probe gets a shorter timeout than other requests, since it will probably fail and holds up others; but a longer one
 * each time, so that an account whose HubSpot answers slowly is not locked out.
 */
const PROBE_TIMEOUT_STEP_MS = 5_000;
/** A turn in which no call has ended for this long is only waiting. */
const WAITS_AFTER_MS = 1_000;

/**
 * A 429 per second or per ten seconds is pacing, which the budget handles; one per day, or with a long requested pause,
 * is a state of the account. Our own storage is not HubSpot, and a request that was not made says nothing about it.
 */
function reportFailure(circuit: PortalCircuit, fault: unknown): void {
  const isPacing = fault instanceof HubSpotThrottled && fault.policyName !== "DAILY";
  if (isPacing && (fault.retryAfterMs ?? 0) <= LONG_WAIT_MS) return;
  if (fault instanceof TokenNotAtHand || fault instanceof PortalSpared) return;
  if (fault instanceof AppMisconfigured)
    circuit.failed(fault.message, { retryAfterMs: MISCONFIGURED_MS, ownCause: fault.reason });
  if (fault instanceof HubSpotUnavailable) {
    const { message, retryAfterMs } = fault;
    circuit.failed(withoutPersons(message), { retryAfterMs, isTimeout: fault instanceof HubSpotTimedOut });
  }
  if (fault instanceof HubSpotRejected) circuit.succeeded();
}

/** Calls in flight, and since when none has ended. */
class Waiting {
  #underWay = 0;
  #sinceMs = 0;

  async during<T>(call: Promise<T>): Promise<T> {
    if (this.#underWay === 0) this.#sinceMs = performance.now();
    this.#underWay += 1;
    try {
      return await call;
    } finally {
      this.#underWay -= 1;
      this.#sinceMs = performance.now();
    }
  }

  get isLong(): boolean {
    return this.#underWay > 0 && performance.now() - this.#sinceMs >= WAITS_AFTER_MS;
  }
}

export function openPortalCalls(options: PortalCallsOptions): PortalCalls {
  const { portalId, budget, slots, gate, circuit } = options;
  const waiting = new Waiting();
  let isCallable = true;

  /** The gate comes after the slot, which may take seconds, and before the check whether to send at all. */
  async function throughGate(slot: RequestSlot): Promise<RequestSlot> {
    const leave = await gate.enter(portalId);
    try {
      if (leave === undefined) throw new PortalSpared();
      slots.assertMaySend();
    } catch (error) {
      slot.giveBack();
      leave?.();
      throw error;
    }
    return {
      observe: (headers) => {
        slot.observe(headers);
      },
      giveBack: () => {
        slot.giveBack();
        leave();
      },
      settle: () => {
        slot.settle();
        leave();
      },
    };
  }

  function slotTaker(given: HeldSlot | undefined): TakeSlot {
    let first = given;
    return async () => {
      const held = first;
      first = undefined;
      return throughGate(held?.use() ?? (await slots.take()));
    };
  }

  const terms = (): RequestTerms => ({
    timeoutMs: circuit.isProbing
      ? Math.min(ANSWER_TIMEOUT_MS, PROBE_TIMEOUT_STEP_MS * circuit.trips)
      : ANSWER_TIMEOUT_MS,
    assertMaySend: () => {
      slots.assertMaySend();
    },
  });

  function afterFailure(fault: unknown): void {
    if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured) isCallable = false;
    if (fault instanceof HubSpotTimedOut) gate.timedOut(portalId);
    if (fault instanceof HubSpotRejected || fault instanceof HubSpotThrottled) gate.heard(portalId);
    reportFailure(circuit, fault);
    if (circuit.isOpen) gate.dismiss(portalId);
  }

  return {
    isCallable: () => isCallable,
    mostUnderWay: () => (circuit.isProbing ? 1 : gate.shareOf(portalId)),
    isWaiting: () => waiting.isLong,
    gatewayWith(slot) {
      const call = options.forPortal({ portalId, budget, takeSlot: slotTaker(slot), terms });
      return createPortalGateway(async (request) => {
        try {
          const answer = await waiting.during(call(request));
          gate.heard(portalId);
          circuit.succeeded();
          return answer;
        } catch (error) {
          afterFailure(error);
          throw error;
        }
      });
    },
  };
}
