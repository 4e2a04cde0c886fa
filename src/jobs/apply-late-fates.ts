import type { Pool } from "pg";
import { applyContactChanges, type ContactChange } from "../executions/contact-changes.js";
import { findLateComers, type ContactFate } from "../executions/contact-fates.js";

function toChange({ portalId, contactId, becameId }: ContactFate): ContactChange {
  if (becameId === null) return { kind: "erased", portalId, contactId };
  return { kind: "merged", portalId, contactIds: [contactId], into: becameId };
}

/**
 * Applies what HubSpot told of contacts to executions that came up afterwards: a call that was on its way, an admin's
 * retry that was made at the same moment, two deliveries at once.
 *
 * @returns the portals that have something to do now.
 */
export async function applyLateFates(pool: Pool): Promise<Set<bigint>> {
  return applyContactChanges(pool, (await findLateComers(pool)).map(toChange));
}
