import type { DueEntry } from "#domain/flow-entries/flow-entry.js";
import type { EntryMove } from "#domain/flow-entries/entry-store.js";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { ended, putOff } from "./entry-moves.js";

/** An entry whose contact HubSpot has. */
export interface FoundEntry {
  readonly entry: DueEntry;
  readonly contactId: string;
  /** Empty: it has none. */
  readonly email: string;
}

interface Found {
  readonly found: readonly FoundEntry[];
  readonly moves: readonly EntryMove[];
  readonly requests: number;
}

/** Contacts missing from a batch are read one by one, up to this many per step. */
const SINGLES = 10;
const NEXT_MS = 1_000;
const PROPERTIES = ["email"];

/** Reads the contacts of up to 100 entries, by id and by address: a request each, and one for each that is missing. */
export async function findContacts(gateway: PortalGateway, entries: readonly DueEntry[]): Promise<Found> {
  const keys = entries.map(({ contactId, email }) => contactId ?? email ?? "");
  const { contacts, requests } = await readTogether(gateway, [...new Set(keys)]);
  const missing = [...new Set(keys)].filter((key) => !contacts.has(key));
  const gone = new Set<string>();
  for (const key of missing.slice(0, SINGLES)) {
    const one = await findOne(gateway, key);
    if (one === undefined) gone.add(key);
    else contacts.set(key, one);
  }
  const found: FoundEntry[] = [];
  const moves: EntryMove[] = [];
  entries.forEach((entry, index) => {
    const contact = contacts.get(keys[index] ?? "");
    if (contact !== undefined) found.push({ entry, ...contact });
    else if (gone.has(keys[index] ?? "")) moves.push(ended(entry, "CONTACT_NOT_FOUND"));
    else moves.push(putOff(entry, NEXT_MS));
  });
  return { found, moves, requests: requests + Math.min(missing.length, SINGLES) };
}

type Contact = Pick<FoundEntry, "contactId" | "email">;

const toContact = (id: string, properties: Readonly<Record<string, string | null>>): Contact => ({
  contactId: id,
  email: properties["email"] ?? "",
});

async function readTogether(gateway: PortalGateway, keys: readonly string[]) {
  const contacts = new Map<string, Contact>();
  const emails = keys.filter((key) => key.includes("@"));
  const ids = keys.filter((key) => !key.includes("@"));
  if (emails.length > 0)
    for (const [email, { id, properties }] of await orNone(gateway.readContactsByEmail(emails, PROPERTIES)))
      contacts.set(email, toContact(id, properties));
  if (ids.length > 0)
    for (const [id, properties] of await orNone(gateway.readContacts(ids, PROPERTIES)))
      contacts.set(id, toContact(id, properties));
  return { contacts, requests: Number(emails.length > 0) + Number(ids.length > 0) };
}

/** One contact may be the reason why HubSpot refuses a batch: each is read by itself then. */
async function orNone<Value>(reading: Promise<Map<string, Value>>): Promise<Map<string, Value>> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus !== 403) return new Map();
    throw error;
  }
}

/** An id or an address that HubSpot refuses names nobody. */
async function findOne(gateway: PortalGateway, key: string): Promise<Contact | undefined> {
  try {
    const contact = await gateway.findContact(key, PROPERTIES);
    return contact && toContact(contact.id, contact.properties);
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus === 400) return undefined;
    throw error;
  }
}
