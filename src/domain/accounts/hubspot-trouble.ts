import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { shorten } from "#platform/text/shorten.js";

/**
 * HubSpot keeps failing this portal's calls, or our own fault does, so the app pauses them
 * (platform/queue/portal-circuit.ts).
 */
export interface HubSpotTrouble {
  since: Date;
  /** The code of our own fault. Null: HubSpot does not answer. */
  ownCause: string | null;
  /** Nothing is sent before this time; after it, one call at a time. */
  pausedUntil: Date;
  /** The last failed call's error, in a sentence; shortened. */
  lastFailure: string | null;
}

const LONGEST_FAILURE = 200;

/** Undefined while HubSpot answers. */
export async function findTrouble(
  { prisma }: Pick<Database, "prisma">,
  portalId: PortalId,
): Promise<HubSpotTrouble | undefined> {
  const drain = await prisma.portalDrain.findUnique({ where: { portalId } });
  if (drain === null || drain.circuitTrips === 0) return undefined;
  const { circuitOpenedAt, circuitOpenUntil, circuitReason, circuitCause } = drain;
  if (circuitOpenedAt === null || circuitOpenUntil === null) return undefined;
  return {
    since: circuitOpenedAt,
    ownCause: circuitCause,
    pausedUntil: circuitOpenUntil,
    lastFailure:
      circuitReason === null || circuitReason === "" ? null : shorten(circuitReason, LONGEST_FAILURE),
  };
}
