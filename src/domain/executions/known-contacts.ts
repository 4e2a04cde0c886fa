import { LANES, UNKNOWN_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { Ownership } from "./claim.js";

/** A contact that was accepted by its address, and whom HubSpot knows. */
export interface ContactOfAddress {
  readonly executionId: ExecutionId;
  readonly contactId: string;
}

/** Stores whom executions are about, once HubSpot has told: in one statement, and only while the portal is the owner's. */
export async function storeContactIds(owner: Ownership, found: readonly ContactOfAddress[]): Promise<void> {
  if (found.length === 0) return;
  await owner.pool.query({
    name: "store-contact-ids",
    text: `
      WITH ${owner.leaseCte}, found AS (
        SELECT * FROM unnest($3::bigint[], $4::text[]) AS found (id, contact_id) WHERE EXISTS (SELECT FROM lease)
      )
      UPDATE executions e SET contact_id = found.contact_id
        FROM found WHERE e.portal_id = $1 AND e.id = found.id AND e.contact_id = '${UNKNOWN_CONTACT}'`,
    values: [
      owner.portalId,
      owner.epoch,
      found.map(({ executionId }) => executionId),
      found.map(({ contactId }) => contactId),
    ],
  });
}

/** An execution whose contact is known by the address alone. */
export interface UnknownContact {
  readonly executionId: ExecutionId;
  readonly email: string;
}

/** Executions of a lane that are looked at: behind them there may be any number whose contact is known. */
const LOOKED_AT = 300;

const unknownIn = (lane: number): string => `
  (SELECT id, contact_email FROM (
     SELECT e.id, e.contact_email, e.contact_id, e.due_at FROM executions e
      WHERE e.portal_id = $1 AND e.state = 'QUEUED' AND e.lane = ${lane} AND e.due_at <= now()
      ORDER BY e.due_at, e.id LIMIT ${LOOKED_AT}) AS next
    WHERE contact_id = '${UNKNOWN_CONTACT}' AND contact_email IS NOT NULL ORDER BY due_at, id LIMIT $2)`;

/** Of the next due executions up to `limit` whose contact is to be found, single calls before batches. Claims nothing. */
export async function readNextEmails(
  { pool, portalId }: Pick<Ownership, "pool" | "portalId">,
  limit: number,
): Promise<UnknownContact[]> {
  const { rows } = await pool.query<{ id: string; contact_email: string }>({
    name: "read-next-emails",
    text: `${unknownIn(LANES.call)} UNION ALL ${unknownIn(LANES.batch)} LIMIT $2`,
    values: [portalId, limit],
  });
  return rows.map(({ id, contact_email: email }) => ({ executionId: BigInt(id), email }));
}
