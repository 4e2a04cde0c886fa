import { HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { DOUBT_PROPERTIES } from "#domain/contract/sequence-facts.js";
import { gather } from "#platform/time/gather.js";

type Properties = Readonly<Record<string, string | null>>;

/**
 * Contacts requested within this time of each other share a request: doubts come in large numbers after an outage or a
 * crash.
 */
const GATHER_MS = 50;
/** Contacts that HubSpot reads in one request. */
const BATCH = 100;

/**
 * Creates the function that reads the properties of contacts whose enrollment is in doubt, up to 100 in one request.
 *
 * @returns a function that resolves with the values of DOUBT_PROPERTIES, undefined if the contact is gone, and rejects
 *   with HubSpot's faults.
 */
export function createDoubtedContacts(
  gateway: PortalGateway,
): (contactId: string) => Promise<Properties | undefined> {
  const read = gather<string, PromiseSettledResult<Properties | undefined>>({
    ms: GATHER_MS,
    run: async (contactIds) => {
      const found = new Map<string, Properties>();
      for (let start = 0; start < contactIds.length; start += BATCH)
        (await readBatch(gateway, contactIds.slice(start, start + BATCH))).forEach((values, id) =>
          found.set(id, values),
        );
      return Promise.allSettled(contactIds.map(async (id) => found.get(id) ?? readSingly(gateway, id)));
    },
  });
  return async (contactId) => {
    const result = await read(contactId);
    if (result.status === "rejected") throw result.reason;
    return result.value;
  };
}

/** If HubSpot refuses the batch as a whole, each is read individually. */
async function readBatch(
  gateway: PortalGateway,
  contactIds: readonly string[],
): Promise<ReadonlyMap<string, Properties>> {
  // A batch of one costs the same as a single read, which also finds the contact by its id from before a merge.
  if (contactIds.length === 1) return new Map();
  try {
    return await gateway.readContacts([...new Set(contactIds)], DOUBT_PROPERTIES);
  } catch (error) {
    if (!(error instanceof HubSpotRejected) || error.httpStatus === 401) throw error;
    return new Map();
  }
}

/** A contact missing from a batch's answer is gone, or has another id since a merge. */
function readSingly(gateway: PortalGateway, contactId: string): Promise<Properties | undefined> {
  return gateway.readContact(contactId, DOUBT_PROPERTIES);
}
