import type { Pool } from "pg";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { readCutShort } from "#domain/executions/completions.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";

export interface CutShortOptions {
  readonly pool: Pool;
  readonly portalId: PortalId;
  readonly logger: Logger;
  readonly count: (holds: number) => void;
}

/** Once it is known that HubSpot releases contacts early, another alert soon after says nothing new. */
const QUIET_HOURS = 30 * 24;

/**
 * Reports outcomes that HubSpot refused for good although it should still have held their contacts: in the log, in a
 * counter, and once to the portal's admins. A single contact may have left its workflow; many mean that holds end
 * sooner than requested.
 *
 * @param refused executions whose completion HubSpot has just refused.
 */
export async function tellOfCutShortHolds(
  options: CutShortOptions,
  refused: readonly ExecutionId[],
): Promise<void> {
  const { pool, portalId, logger } = options;
  const { holds, leastHours } = await readCutShort(pool, portalId, refused);
  if (holds === 0) return;
  options.count(holds);
  logger.warn({ portalId, holds, leastHours }, "HubSpot released contacts before the end of their hold");
  await raiseAlert(pool, {
    portalId,
    kind: "HOLDS_CUT_SHORT",
    page: "/settings/activity",
    quietHours: QUIET_HOURS,
    message:
      `HubSpot did not take the outcome of ${holds === 1 ? "a contact" : `${holds} contacts`}: it had let go of ` +
      `${holds === 1 ? "it" : "them"} ${leastHours} hours after the step began, sooner than the app asked for. If such contacts did ` +
      `not leave the workflow, HubSpot ends holds early: lower “Longest hold” in the settings.`,
  });
}
