import type { Pool } from "pg";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";
import { changeOf, findLateComers, listFateChecks } from "#domain/contacts/contact-fates.js";

/**
 * Applies HubSpot's reports about contacts to executions that appeared afterward: a call that was on its way, a
 * simultaneous retry by an admin, two deliveries at once.
 *
 * @returns the portals that have new work.
 */
export async function applyLateFates(pool: Pool, logger: Logger): Promise<Set<PortalId>> {
  const concerned = new Set<PortalId>();
  const what = "HubSpot's reports about an account's contacts could not be applied";
  await eachPortal(await listFateChecks(pool), { logger, what }, async (check) => {
    const found = await findLateComers(pool, check);
    if (found.length === 0) return;
    for (const changed of await applyContactChanges(pool, found.map(changeOf))) concerned.add(changed);
  });
  return concerned;
}
