import type { PoolClient } from "pg";
import { LONGEST_ADDRESS } from "#domain/contract/enroll-contract.js";
import type { EnrollRequest } from "#domain/contract/execution.js";
import { cutText } from "#platform/text/storable-text.js";

/** An enrollment that somebody asked for without a workflow: HubSpot holds nobody for it and is owed nothing. */
export interface StoredEnrollment {
  /** Unique in the portal: the same one is stored once. */
  readonly callbackId: string;
  readonly contactId: string;
  readonly contactEmail: string | null;
  readonly sequenceId: string;
  readonly request: EnrollRequest;
  readonly reference: string | null;
  readonly notBefore: Date | null;
}

/** Nobody is held meanwhile, and a sender's cap may make a long file wait for weeks. */
const DEADLINE_DAYS = 60;

const INSERT = `
  WITH incoming AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[], $8::timestamptz[])
      WITH ORDINALITY AS row (callback_id, contact_id, contact_email, sequence_id, request, reference, not_before, position)
  ), stored AS (
    INSERT INTO executions (
      portal_id, callback_id, kind, is_held, state, due_at, has_waited, deadline_at, hold_ends_at, contact_id, contact_email,
      sequence_id, request, source, lane, reference, import_id)
    SELECT $1, callback_id, 'ENROLL', false, 'QUEUED', greatest(not_before, now()), coalesce(not_before > now(), false),
           greatest(not_before, now()) + interval '${DEADLINE_DAYS} days',
           greatest(not_before, now()) + interval '${DEADLINE_DAYS + 1} days',
           contact_id, contact_email, sequence_id, request, 'import', 2, reference, $9
      FROM incoming ORDER BY position
    ON CONFLICT (portal_id, callback_id) DO NOTHING
    RETURNING id, callback_id
  )
  SELECT incoming.position, coalesce(stored.id, known.id) AS id FROM incoming
    LEFT JOIN stored USING (callback_id)
    LEFT JOIN executions known ON known.portal_id = $1 AND known.callback_id = incoming.callback_id
   ORDER BY incoming.position`;

/**
 * Stores an import's enrollments in the caller's transaction, at the end of the line of batches.
 *
 * @returns the execution of each, in order.
 */
export async function storeEnrollments(
  client: PoolClient,
  { portalId, importId }: { portalId: bigint; importId: bigint },
  enrollments: readonly StoredEnrollment[],
): Promise<bigint[]> {
  if (enrollments.length === 0) return [];
  const column = (value: (row: StoredEnrollment) => unknown) => enrollments.map(value);
  const { rows } = await client.query<{ id: string }>(INSERT, [
    portalId,
    column((row) => row.callbackId),
    column((row) => row.contactId),
    column(({ contactEmail: email }) => email && cutText(email, LONGEST_ADDRESS)),
    column((row) => row.sequenceId),
    column((row) => JSON.stringify(row.request)),
    column((row) => row.reference),
    column((row) => row.notBefore),
    importId,
  ]);
  return rows.map(({ id }) => BigInt(id));
}
