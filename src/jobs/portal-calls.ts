import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
  TokenNotAtHand,
} from "../hubspot/errors.js";
import type { FairGate } from "../hubspot/fair-gate.js";
import { createPortalGateway, type PortalGateway } from "../hubspot/gateway.js";
import type { RequestBudget, RequestSlot } from "../hubspot/request-budget.js";
import type { PortalTransport, TakeSlot } from "../hubspot/transport.js";
import type { PortalCircuit } from "../queue/portal-circuit.js";
import type { HeldSlot, SlotSource } from "./slot-source.js";

export interface PortalCallsOptions {
  portalId: bigint;
  budget: RequestBudget;
  slots: SlotSource;
  /** What all portals of this process share. */
  gate: FairGate;
  circuit: PortalCircuit;
  forPortal: (portal: { portalId: bigint; budget: RequestBudget; takeSlot: TakeSlot }) => PortalTransport;
}

/** An owner's way to HubSpot for one turn: every request paced, fenced, and reported to the portal's circuit. */
export interface PortalCalls {
  /** A gateway whose first request uses the slot given, if any. */
  gatewayWith(slot?: HeldSlot): PortalGateway;
  /** False once a call showed that the grant is dead or this app is misconfigured: further calls would only fail. */
  isCallable(): boolean;
}

/** Until somebody gives the app the right credentials every call ends alike: one a minute and portal will do. */
const MISCONFIGURED_MS = 60_000;

/** A 429 by the second or ten seconds is pacing; one by the day is a state of the account. Our own storage is not HubSpot. */
function reportFailure(circuit: PortalCircuit, fault: unknown): void {
  if (fault instanceof HubSpotThrottled && fault.policyName !== "DAILY") return;
  if (fault instanceof TokenNotAtHand) return;
  if (fault instanceof AppMisconfigured) circuit.failed(fault.message, MISCONFIGURED_MS);
  if (fault instanceof HubSpotUnavailable) circuit.failed(fault.message, fault.retryAfterMs);
  if (fault instanceof HubSpotRejected) circuit.succeeded();
}

export function openPortalCalls(options: PortalCallsOptions): PortalCalls {
  const { portalId, budget, slots, gate, circuit } = options;
  let isCallable = true;

  /** The gate comes after the slot, which may take seconds to come free, and before the question whose portal it is. */
  async function throughGate(slot: RequestSlot): Promise<RequestSlot> {
    const leave = await gate.enter(portalId);
    try {
      slots.assertOurs();
    } catch (fault) {
      slot.giveBack();
      leave();
      throw fault;
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

  return {
    isCallable: () => isCallable,
    gatewayWith(slot) {
      const call = options.forPortal({ portalId, budget, takeSlot: slotTaker(slot) });
      return createPortalGateway(async (request) => {
        try {
          const answer = await call(request);
          circuit.succeeded();
          return answer;
        } catch (fault) {
          if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured) isCallable = false;
          reportFailure(circuit, fault);
          throw fault;
        }
      });
    },
  };
}
