import type { SimulatedPortal } from "../portal.js";
import type { WorkflowRun } from "../workflow/run.js";
import type { World } from "../world/world.js";

/** An account's summary; small, however many contacts it has. */
export function portalSummary(world: World, portal: SimulatedPortal): Record<string, unknown> {
  return {
    ...portal.traits,
    installed: world.grants.isInstalled(portal.portalId),
    users: [...portal.users.values()],
    owners: [...portal.owners.values()],
    sequences: [...portal.sequences.values()],
    contacts: portal.contacts.size,
    enrollments: portal.enrollments.total,
    completions: portal.callbacks.acceptedCount,
    traffic: { ...portal.traffic.summary(), peakInWindow: world.limiter.peakOf(portal.portalId) },
    runs: portal.runs.map(runSummary),
  };
}

export function runSummary(run: WorkflowRun): Record<string, unknown> {
  return { runId: run.id, counts: run.counts() };
}

/**
 * The facts a safety check needs: enroll POSTs per contact with their fate, and per callback how many completions
 * arrived and with what. Nothing lost means each callback has one that counted; nothing twice means `whileActive` is 0.
 */
export function safetyFacts(portal: SimulatedPortal): Record<string, unknown> {
  return {
    contacts: portal.enrollments.facts(),
    callbacks: Object.fromEntries(
      portal.callbacks
        .all()
        .map(({ callbackId, accepted, received }) => [
          callbackId,
          { received: received.length, accepted: accepted !== undefined, outputs: accepted?.outputFields },
        ]),
    ),
    strangeCallbacks: Object.fromEntries(
      [...portal.callbacks.strangers].map(([id, received]) => [id, received.length]),
    ),
  };
}
