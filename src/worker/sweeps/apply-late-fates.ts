import type { Pool } from "pg";
import type { ContactChange } from "#domain/contacts/contact-change.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";
import { findLateComers, listFateChecks, type ContactFate } from "#domain/contacts/contact-fates.js";

function toChange({ portalId, contactId, becameId }: ContactFate): ContactChange {
  if (becameId === null) return { kind: "erased", portalId, contactId };
  return { kind: "merged", portalId, contactIds: [contactId], into: becameId };
}

/**
 * Applies HubSpot's reports about contacts to executions that appeared afterwards: a call that was on its way, a
 * simultaneous retry by an admin, two deliveries at once.
 *
 * @returns the portals that have new work.
 */
export async function applyLateFates(pool: Pool, logger: Logger): Promise<Set<bigint>> {
  const concerned = new Set<bigint>();
  const what = "what HubSpot told of an account's contacts could not be applied";
  await eachPortal(await listFateChecks(pool), { logger, what }, async (check) => {
    const found = await findLateComers(pool, check);
    if (found.length === 0) return;
    for (const changed of await applyContactChanges(pool, found.map(toChange))) concerned.add(changed);
  });
  return concerned;
}
