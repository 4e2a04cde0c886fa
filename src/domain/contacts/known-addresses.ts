import type { PoolClient } from "pg";
import { UNKNOWN_CONTACT } from "#domain/contract/execution.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { ContactFate } from "./contact-fates.js";
import { rowsByAddress } from "./rows-by-address.js";

/** An address by which a contact was enrolled, or is named in a file. */
interface KnownAddress {
  readonly contactId: string;
  /** In lower case. */
  readonly address: string;
}

const FIND = `
  SELECT contact_id AS "contactId", lower(contact_email) AS address FROM executions
   WHERE portal_id = $1 AND contact_id = ANY ($2::text[]) AND contact_email IS NOT NULL
  UNION SELECT contact_id, contact_key FROM import_rows
   WHERE portal_id = $1 AND contact_id = ANY ($2::text[]) AND contact_key LIKE '%@%'`;

/** Executions read for one address: more can be enrolled by it, but nobody has done so. */
const MOST_ROWS = 1_000;

const NAME = `
  WITH known AS (SELECT * FROM unnest($2::text[], $3::text[]) AS known (address, contact_id)
  ), found AS (${rowsByAddress({
    portalId: "$1",
    condition: "lower(contact_email) = ANY ($2::text[])",
    limit: String(MOST_ROWS),
  })})
  UPDATE executions e SET contact_id = known.contact_id FROM found, known
   WHERE e.portal_id = $1 AND e.id = found.id AND e.contact_id = '${UNKNOWN_CONTACT}' AND lower(e.contact_email) = known.address`;

/**
 * What was requested by an address alone, and found nobody then, belongs to the contact that has the address as far as
 * we know: what happens to the contact covers it too.
 *
 * @returns addresses of the contacts, by portal
 */
export async function nameByAddress(
  client: PoolClient,
  contacts: readonly Pick<ContactFate, "portalId" | "contactId">[],
): Promise<Map<PortalId, string[]>> {
  const addresses = new Map<PortalId, string[]>();
  for (const portalId of new Set(contacts.map((one) => one.portalId))) {
    const ids = contacts.filter((one) => one.portalId === portalId).map(({ contactId }) => contactId);
    const { rows } = await client.query<KnownAddress>(FIND, [portalId, ids]);
    if (rows.length === 0) continue;
    const named = rows.map(({ address }) => address);
    addresses.set(portalId, named);
    await client.query(NAME, [portalId, named, rows.map(({ contactId }) => contactId)]);
  }
  return addresses;
}
