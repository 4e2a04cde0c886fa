import type { ImportKey } from "#domain/imports/advance-import.js";
import { forgetStrangers, readUnnamedRows } from "#domain/imports/forget-rows.js";
import { readContactsNamed } from "#domain/dry-run/explain-many.js";
import type { ImportTools } from "./import-tools.js";

/** Contacts that HubSpot reads in one request. */
const SLICE = 100;

/**
 * After a contact of the account was erased: asks HubSpot to whom the next rows that name only an address belong, and
 * removes those that HubSpot does not have now but may have had: a row that HubSpot did not know before the contact was
 * erased is another's, and stays. Undefined: there is nothing of the kind to do. True: there is more.
 */
export async function forgetNextRows(
  { pool, gatewayOf }: Pick<ImportTools, "pool" | "gatewayOf">,
  key: ImportKey,
): Promise<boolean | undefined> {
  const unnamed = await readUnnamedRows(pool, key, SLICE);
  if (unnamed === undefined) return undefined;
  const { after, rows } = unnamed;
  const named = rows.map(({ email }) => email);
  const known = await readContactsNamed(gatewayOf(key.portalId), { named, names: [] });
  const contacts = new Map(
    rows.flatMap(({ number, email }) => {
      const contact = known.get(email);
      return contact === undefined ? [] : [[number, contact.id] as const];
    }),
  );
  const strangers = rows.flatMap(({ number, wasUnknown }) =>
    wasUnknown || contacts.has(number) ? [] : [number],
  );
  const upTo = rows.length < SLICE ? undefined : rows.at(-1)?.number;
  await forgetStrangers(pool, key, { after, upTo, contacts, strangers });
  return true;
}
