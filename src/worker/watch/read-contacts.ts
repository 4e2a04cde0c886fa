import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import { ENGAGEMENT_PROPERTIES } from "#domain/ends/engagement.js";
import { HubSpotAnsweredOddly, HubSpotError, HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";

/** Contacts that HubSpot reads in one request (docs/hubspot.md §6). */
export const BATCH = 100;
/** The maximum number of contacts read individually in a poll. */
export const SINGLES = 10;
/** One set for all looks: the same answer serves everyone who waits for the contact. */
const LOOK_PROPERTIES = [...new Set([...SEQUENCE_PROPERTIES, ...ENGAGEMENT_PROPERTIES])];

type Properties = Readonly<Record<string, string | null>>;

/** HubSpot's data of a contact. `values` undefined: it is gone. `id` is set if a merge gave it another one. */
export type Reading =
  | { readonly values: Properties | undefined; readonly id?: string | undefined }
  | { readonly refusal: HubSpotRejected }
  /** Only this contact cannot be read. */
  | { readonly odd: HubSpotAnsweredOddly };

async function readSingly(contactId: string, gateway: PortalGateway): Promise<Reading> {
  try {
    const values = await gateway.readContact(contactId, [...LOOK_PROPERTIES, "hs_object_id"]);
    const id = values?.["hs_object_id"] ?? contactId;
    return { values, id: id === contactId ? undefined : id };
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus !== 401) return { refusal: error };
    if (error instanceof HubSpotAnsweredOddly) return { odd: error };
    throw error;
  }
}

/** HubSpot's data of a poll's contacts, and what remains to be read. */
export interface Answers {
  readonly readings: ReadonlyMap<string, Reading>;
  /** Contacts that have to be read individually, later. */
  readonly putOff: readonly string[];
  readonly requests: number;
  /** What kept the remaining contacts from being read. */
  readonly fault?: HubSpotError;
}

/**
 * One request for all; another one for each that is missing from its answer, because HubSpot finds a merged contact by
 * its old id and answers with the new one. If HubSpot refuses the whole batch, each is read individually.
 *
 * Few are read individually per poll: a cleanup in HubSpot deletes or merges thousands at once, and enrolling comes
 * first.
 */
export async function readContactsForLook(
  contactIds: readonly string[],
  { gateway, mayGoOn }: { gateway: PortalGateway; mayGoOn: () => boolean },
): Promise<Answers> {
  const readings = new Map<string, Reading>();
  let requests = 1;
  let putOff: string[] = [];
  try {
    for (const [contactId, values] of await readTogether(contactIds, gateway))
      readings.set(contactId, { values });
    const missing = contactIds.filter((contactId) => !readings.has(contactId));
    putOff = missing.splice(SINGLES);
    for (const contactId of missing) {
      if (!mayGoOn()) break;
      requests += 1;
      readings.set(contactId, await readSingly(contactId, gateway));
    }
    return { readings, putOff, requests };
  } catch (error) {
    if (error instanceof HubSpotError) return { readings, putOff, requests, fault: error };
    throw error;
  }
}

/** Empty if HubSpot refuses the batch: one contact in it may be the reason. */
async function readTogether(
  contactIds: readonly string[],
  gateway: PortalGateway,
): Promise<ReadonlyMap<string, Properties>> {
  try {
    return await gateway.readContacts(contactIds, LOOK_PROPERTIES);
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus !== 401) return new Map();
    throw error;
  }
}
