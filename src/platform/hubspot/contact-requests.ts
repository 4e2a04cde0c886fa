import type { AnswerReader } from "./answer-reader.js";
import { anyBatch, readEach } from "./wire/list-page.js";
import { paths } from "./wire/paths.js";
import * as records from "./wire/records.js";

/** Reads of contacts. */
export interface ContactRequests {
  /** Values of the named contact properties, or undefined if the contact is gone. */
  readContact(
    contactId: string,
    properties: readonly string[],
  ): Promise<Record<string, string | null> | undefined>;
  /**
   * A contact by its record id or its email address, with the values of the named properties; undefined if there is
   * none. A merged contact comes under its new id.
   */
  findContact(
    idOrEmail: string,
    properties: readonly string[],
  ): Promise<{ id: string; properties: Record<string, string | null> } | undefined>;
  /**
   * The same for up to 100 contacts in one request, by the id HubSpot returns: a contact that was merged comes under
   * its new id. A contact missing from the answer is gone or cannot be read; only a request for it alone shows which.
   */
  readContacts(
    contactIds: readonly string[],
    properties: readonly string[],
  ): Promise<Map<string, Record<string, string | null>>>;
  /**
   * Up to 100 contacts in one request, by their addresses in lower case, first or other ones. Those HubSpot does not have
   * are left out.
   */
  readContactsByEmail(
    emails: readonly string[],
    properties: readonly string[],
  ): Promise<Map<string, { id: string; properties: Record<string, string | null> }>>;
}

export function contactRequests({ read, one }: AnswerReader): ContactRequests {
  return {
    async readContact(contactId, properties) {
      const query = { properties: properties.join(",") };
      return (await one({ method: "GET", path: paths.contact(contactId), query }, records.contact))
        ?.properties;
    },
    findContact(idOrEmail, properties) {
      const idProperty = idOrEmail.includes("@") ? "email" : undefined;
      const query = { properties: properties.join(","), idProperty };
      return one({ method: "GET", path: paths.contact(idOrEmail), query }, records.identifiedContact);
    },
    async readContacts(contactIds, properties) {
      const inputs = contactIds.map((id) => ({ id }));
      const body = { inputs, properties, propertiesWithHistory: [] };
      const { results } = await read({ method: "POST", path: paths.contactBatch, body }, anyBatch);
      const { read: found } = readEach(results, records.identifiedContact);
      return new Map(found.map(({ id, properties: values }) => [id, values]));
    },
    async readContactsByEmail(emails, properties) {
      const inputs = emails.map((id) => ({ id }));
      const names = [...new Set([...properties, "email", OTHER_ADDRESSES])];
      const body = { inputs, idProperty: "email", properties: names, propertiesWithHistory: [] };
      const { results } = await read({ method: "POST", path: paths.contactBatch, body }, anyBatch);
      const { read: found } = readEach(results, records.identifiedContact);
      return new Map(
        found.flatMap((contact) => addressesOf(contact.properties).map((one) => [one, contact])),
      );
    },
  };
}

/** A contact's addresses besides its first, separated by semicolons. */
const OTHER_ADDRESSES = "hs_additional_emails";

function addressesOf(properties: Record<string, string | null>): string[] {
  const others = properties[OTHER_ADDRESSES]?.split(";") ?? [];
  return [properties["email"] ?? "", ...others].map((one) => one.trim().toLowerCase()).filter(Boolean);
}
