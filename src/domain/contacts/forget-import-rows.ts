import type { PoolClient } from "pg";
import { FORGOTTEN } from "#domain/contract/import-rows.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { ContactFate } from "./contact-fates.js";
import type { ErasedWords } from "./forget-searches.js";

const FORGET = `
  UPDATE import_rows SET ${FORGOTTEN}
   WHERE portal_id = $1 AND (contact_key = ANY ($2::text[]) OR contact_id = ANY ($2::text[]))`;

/**
 * Rows that name an address that we do not know as the erased contact's are not found. HubSpot is asked whose they are: a
 * worker goes through them all (src/worker/imports/forget-strangers.ts).
 */
const LOOK_FOR_STRANGERS = "UPDATE imports SET forget_after = 0 WHERE portal_id = $1";

/** Removes what the files of imports say about erased contacts. */
export async function forgetImportRows(client: PoolClient, erased: readonly ErasedWords[]): Promise<void> {
  for (const { portalId, words } of erased) {
    await client.query(FORGET, [portalId, words.map((word) => word.toLowerCase())]);
    await client.query(LOOK_FOR_STRANGERS, [portalId]);
  }
}

/** Rows of contacts that were merged are the other one's from now on, so that a later erasure of it covers them. */
export async function moveImportRows(client: PoolClient, merged: readonly ContactFate[]): Promise<void> {
  await client.query(
    `UPDATE import_rows r SET contact_id = became.became_id
       FROM unnest($1::bigint[], $2::text[], $3::text[]) AS became (portal_id, contact_id, became_id)
      WHERE r.portal_id = became.portal_id AND (r.contact_id = became.contact_id OR r.contact_key = became.contact_id)`,
    [
      merged.map(({ portalId }) => portalId),
      merged.map(({ contactId }) => contactId),
      merged.map(({ becameId }) => becameId),
    ],
  );
}

/**
 * For contacts into which an erased one had been merged, whom HubSpot still has: their rows keep who they are and what
 * happened to them. What the file says may be the erased one's, and goes.
 */
export async function forgetCellsOf(
  client: PoolClient,
  survivors: readonly { portalId: PortalId; contactId: string }[],
): Promise<void> {
  await client.query(
    `UPDATE import_rows r SET cells = '[]', contact_key = r.contact_id, reason = NULL
       FROM unnest($1::bigint[], $2::text[]) AS named (portal_id, contact_id)
      WHERE r.portal_id = named.portal_id AND r.contact_id = named.contact_id`,
    [survivors.map(({ portalId }) => portalId), survivors.map(({ contactId }) => contactId)],
  );
}
