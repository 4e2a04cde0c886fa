import { LRUCache } from "lru-cache";
import type { ContactProperty, PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { SettingsOptions } from "#web/settings/session/site-options.js";
import type { Foundation } from "./foundation.js";

/** More accounts than look at the forms within PROPERTIES_FRESH_MS. */
const MOST_PROPERTY_LISTS = 200;
/** People make properties while they build a workflow. */
const PROPERTIES_FRESH_MS = 60_000;

/** An account's contact properties, read from HubSpot while somebody fills in a form. */
export function propertyLists({
  gatewayOf,
  logger,
}: {
  gatewayOf: (portalId: PortalId) => PortalGateway;
  logger: Foundation["logger"];
}): SettingsOptions["contactProperties"] {
  const known = new LRUCache<PortalId, readonly ContactProperty[]>({
    max: MOST_PROPERTY_LISTS,
    ttl: PROPERTIES_FRESH_MS,
  });
  return async (portalId) => {
    const fresh = known.get(portalId);
    if (fresh !== undefined) return fresh;
    try {
      const listed = await gatewayOf(portalId).listContactProperties();
      known.set(portalId, listed);
      return listed;
    } catch (error) {
      logger.info({ err: error, portalId }, "the contact properties could not be listed for a form");
      return undefined;
    }
  };
}
