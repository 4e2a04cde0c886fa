import type { Pool } from "pg";
import type { Directory } from "../directory/directory.js";
import { recoverAttempts, type Ownership } from "../executions/claim.js";
import { expirePastDeadline } from "../executions/expire.js";
import { AppMisconfigured, GrantRevoked } from "../hubspot/errors.js";
import { createPortalGateway, type Owner, type PortalGateway } from "../hubspot/gateway.js";
import { RequestBudget, type RequestSlot } from "../hubspot/request-budget.js";
import type { PortalTransport, TakeSlot } from "../hubspot/transport.js";
import type { Logger } from "../observability/logger.js";
import { HEARTBEAT_SECONDS, SELF_FENCE_MS, type DrainHandler, type DrainTurn } from "../queue/drain-queue.js";
import {
  acquirePortal,
  LEASE_CTE,
  LeaseLost,
  releasePortal,
  type PortalLease,
} from "../queue/portal-lease.js";
import { enrollContact, settleUncertain } from "./enroll-contact.js";
import { PortalTurn } from "./portal-turn.js";
import { readOnce } from "./read-once.js";
import { createSlotSource, type SlotSource } from "./slot-source.js";
import { directoryNeed, syncDirectory } from "./sync-directory.js";

export interface DrainOptions {
  pool: Pool;
  directory: Directory;
  logger: Logger;
  /** Requests per window that one portal allows (dossier §6). */
  rateLimit: number;
  forPortal: (portal: { portalId: bigint; budget: RequestBudget; takeSlot: TakeSlot }) => PortalTransport;
  /** Asks for another turn when this one left work. */
  wake: (portalId: bigint) => void;
}

const WINDOW_MS = 10_000;
/** A turn this long lets other portals in when there are more of them than places. */
const TURN_MS = 10_000;
/**
 * After a crash the window's use is unknown. The dead owner sent nothing later than SELF_FENCE_MS after its last sign of
 * life, and its successor starts HEARTBEAT_SECONDS after that sign at the earliest.
 */
const UNKNOWN_WINDOW_MS = WINDOW_MS - (HEARTBEAT_SECONDS * 1_000 - SELF_FENCE_MS);

function openBudget(lease: PortalLease, limit: number): RequestBudget {
  const unknown = Array.from({ length: limit }, () => UNKNOWN_WINDOW_MS);
  return new RequestBudget({
    limit,
    windowMs: WINDOW_MS,
    now: () => performance.now(),
    inheritedMs: lease.inheritedMs ?? unknown,
  });
}

async function isConnected(pool: Pool, portalId: bigint): Promise<boolean> {
  const { rows } = await pool.query<{ status: string }>({
    name: "portal-status",
    text: `SELECT status FROM portals WHERE portal_id = $1`,
    values: [portalId],
  });
  return rows[0]?.status === "CONNECTED";
}

/** The handler that drains one portal for one turn (design §3.5). */
export function createDrain(options: DrainOptions): DrainHandler {
  const { pool, directory, logger } = options;

  async function sync(portalId: bigint, gateway: PortalGateway): Promise<void> {
    try {
      await syncDirectory(portalId, { directory, gateway });
    } catch (fault) {
      // The copy we have serves on; the request stays open and the next turn tries again.
      if (!(fault instanceof LeaseLost))
        logger.warn({ fault, portalId }, "the directory could not be synced");
    }
  }

  function gatewaySource(
    portalId: bigint,
    budget: RequestBudget,
    use: { slots: SlotSource; onUncallable: () => void },
  ) {
    const { slots, onUncallable } = use;
    return (slot?: RequestSlot): PortalGateway => {
      let first = slot;
      const takeSlot: TakeSlot = async () => {
        const held = first;
        first = undefined;
        if (held === undefined) return slots.take();
        slots.takeFree(0, 0);
        return held;
      };
      const call = options.forPortal({ portalId, budget, takeSlot });
      return createPortalGateway(async (request) => {
        try {
          return await call(request);
        } catch (fault) {
          if (fault instanceof GrantRevoked || fault instanceof AppMisconfigured) onUncallable();
          throw fault;
        }
      });
    };
  }

  async function workThrough(lease: PortalLease, budget: RequestBudget, turn: DrainTurn): Promise<boolean> {
    const { portalId, epoch } = lease;
    const owner: Ownership = { pool, portalId, epoch, leaseCte: LEASE_CTE };
    if (!(await isConnected(pool, portalId))) {
      await expirePastDeadline(owner);
      return false;
    }
    await recoverAttempts(owner);
    const slots = createSlotSource(budget, { portalId, mayStillSend: () => turn.isFresh() });
    let isCallable = true;
    const onUncallable = (): void => {
      isCallable = false;
    };
    const gatewayWith = gatewaySource(portalId, budget, { slots, onUncallable });
    const endsAtMs = performance.now() + TURN_MS;
    const need = await directoryNeed(directory, portalId);
    const syncing = need === "none" ? undefined : sync(portalId, gatewayWith());
    // With no directory at all every sender would have to be read from HubSpot one by one.
    if (need === "first") await syncing;
    const ownerReads = readOnce<Owner | undefined>();
    try {
      return await new PortalTurn({
        owner,
        budget,
        slots,
        gatewayWith,
        attempt: (execution, gateway) =>
          (execution.state === "UNCERTAIN" ? settleUncertain : enrollContact)(execution, {
            portalId,
            gateway,
            directory,
            ownerReads,
          }),
        logger,
        mayGoOn: () => isCallable && !turn.signal.aborted && performance.now() < endsAtMs,
      }).run();
    } finally {
      await syncing;
    }
  }

  return async (portalId, turn) => {
    const lease = await acquirePortal(pool, portalId);
    const budget = openBudget(lease, options.rateLimit);
    let isMoreLeft = false;
    try {
      isMoreLeft = await workThrough(lease, budget, turn);
    } catch (fault) {
      if (!(fault instanceof LeaseLost)) throw fault;
      logger.warn({ portalId, epoch: lease.epoch }, "the portal has a new owner");
      return;
    } finally {
      await releasePortal(pool, lease, budget.handOver()).catch((fault: unknown) => {
        logger.warn({ fault, portalId }, "the portal could not be released");
      });
    }
    if (isMoreLeft) options.wake(portalId);
  };
}
