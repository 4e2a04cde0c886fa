import type { DrainHandler } from "#platform/queue/drain-turn.js";
import { acquirePortal, LeaseLost, type WindowLeft } from "#platform/queue/portal-lease.js";
import type { DrainOptions } from "./drain-options.js";
import { handOver } from "./hand-over.js";
import { keepAcrossTurns } from "./kept-across-turns.js";
import { openBudget } from "./open-budget.js";
import { PortalWork } from "./portal-work.js";
import { recordBlocked } from "./record-blocked.js";

/** The handler that drains one portal for one turn. */
export function createDrain(options: DrainOptions): DrainHandler {
  const { pool, logger } = options;
  const kept = keepAcrossTurns(options);
  return async (portalId, turn) => {
    // Acquiring the lease invalidates what another owner is writing: only an owner that may send may do that.
    if (!turn.isFresh()) return "rest";
    const lease = await acquirePortal(pool, portalId);
    const budget = openBudget(lease, options.rateLimit);
    try {
      return await new PortalWork(options, kept, { lease, budget, turn }).run();
    } catch (error) {
      if (!(error instanceof LeaseLost)) {
        await recordBlocked({ pool, lease, onFault: () => undefined }, error);
        throw error;
      }
      logger.warn({ portalId, epoch: lease.epoch }, "the portal has a new owner");
      return "rest";
    } finally {
      const left = (): WindowLeft => ({ slotsFreeInMs: budget.handOver(), allowance: budget.allowance });
      await handOver({ pool, lease, left, isFresh: () => turn.isFresh() });
    }
  };
}
