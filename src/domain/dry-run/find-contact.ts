import type { Pool } from "pg";
import { rowsByAddress } from "#domain/contacts/rows-by-address.js";
import { HubSpotError } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** The contact, and where its data comes from. */
export interface FoundContact {
  readonly id: string;
  readonly email: string | null;
  readonly properties: Readonly<Record<string, string | null>>;
  /** Set if HubSpot could not be asked: when it last sent these properties. */
  readonly asOf: Date | undefined;
}

export type FindContactOutcome = FoundContact | "not-found" | "hubspot-unavailable";

interface StoredRow {
  contact_id: string;
  contact_email: string | null;
  properties: Record<string, string | null> | null;
  accepted_at: Date;
}

/** The maximum number of executions to read for one contact. */
const MOST_OF_A_CONTACT = 1_000;

/** Materialized, so that the planner does not search the portal's newest rows for a match. */
const readStored = (ids: string): string => `
  WITH own AS MATERIALIZED (${ids}), found AS MATERIALIZED (
    SELECT id, contact_id, contact_email, request -> 'properties' AS properties, accepted_at FROM executions
     WHERE portal_id = $1 AND kind = 'ENROLL' AND id = ANY (ARRAY(SELECT id FROM own)))
  SELECT * FROM found ORDER BY id DESC LIMIT 1`;
const STORED_BY_ID = readStored(
  `SELECT id FROM executions WHERE portal_id = $1 AND contact_id = $2 LIMIT ${MOST_OF_A_CONTACT}`,
);
const STORED_BY_EMAIL = readStored(
  rowsByAddress({
    portalId: "$1",
    condition: "lower(contact_email) = lower($2)",
    limit: String(MOST_OF_A_CONTACT),
  }),
);

/**
 * Finds a contact by its record id or its email address, in HubSpot; if HubSpot does not answer, as it was at its last
 * call of the action.
 *
 * @throws the database's faults.
 */
export async function findContact(
  { pool, gateway }: { pool: Pool; gateway: PortalGateway },
  portalId: PortalId,
  { contact, properties }: { contact: string; properties: readonly string[] },
): Promise<FindContactOutcome> {
  try {
    const found = await gateway.findContact(contact, properties);
    if (found === undefined) return "not-found";
    return { ...found, email: found.properties["email"] ?? null, asOf: undefined };
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    return (await findStored(pool, portalId, contact)) ?? "hubspot-unavailable";
  }
}

async function findStored(
  pool: Pool,
  portalId: PortalId,
  contact: string,
): Promise<FoundContact | undefined> {
  const text = contact.includes("@") ? STORED_BY_EMAIL : STORED_BY_ID;
  const { rows } = await pool.query<StoredRow>(text, [portalId, contact]);
  const [row] = rows;
  if (row?.properties == null) return undefined;
  const { contact_id: id, contact_email: email, properties, accepted_at: asOf } = row;
  return { id, email, properties, asOf };
}
