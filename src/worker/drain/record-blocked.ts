import { databaseTroubleOf } from "#platform/db/storage-faults.js";
import { PortalCircuit, type PortalCircuitOptions } from "#platform/queue/portal-circuit.js";

/** How soon to retry a portal that only the operator can help. */
const BLOCKED_RETRY_MS = 60_000;

/**
 * The database refuses what every turn needs until the operator fixes it: the page and an alert tell the account's
 * admins why nothing happens. If not even that can be stored, there is only the log (platform/db/trouble-log.ts).
 */
export async function recordBlocked(options: PortalCircuitOptions, fault: unknown): Promise<void> {
  const trouble = databaseTroubleOf(fault);
  if (trouble?.isStandstill !== true) return;
  const circuit = new PortalCircuit(options);
  circuit.failed(trouble.means, { retryAfterMs: BLOCKED_RETRY_MS, ownCause: trouble.cause });
  await circuit.saved();
}
