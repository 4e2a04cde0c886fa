import type { ClientBase } from "pg";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { EnrollRequest, Lane, Source } from "#domain/contract/execution.js";
import { cutText } from "#platform/text/storable-text.js";

/** An enrollment that no workflow called for: HubSpot holds nobody for it and is owed nothing. */
export interface StoredEnrollment {
  readonly portalId: bigint;
  /** Unique in the portal: the same one is stored once. */
  readonly callbackId: string;
  readonly contactId: string;
  readonly contactEmail: string | null;
  readonly sequenceId: string;
  readonly request: EnrollRequest;
  /** The caller's own name for it. */
  readonly reference: string | null;
  /** Not to be tried before. */
  readonly notBefore: Date | null;
  /** Hours after which it is given up unfinished, from when it may first be tried. */
  readonly deadlineHours: number;
}

/** Where a group of enrollments comes from. */
export interface StoredOrigin {
  readonly source: Source;
  readonly lane: Lane;
  readonly importId: bigint | undefined;
}

/**
 * Nothing is stored of an account that is not connected. What is known under a callback id is not stored again, and looked
 * for by itself: as a join it would be planned once for all, and on a new database by reading the whole table each time.
 */
const INSERT = `
  WITH incoming AS (
    SELECT row.* FROM unnest(
        $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::text[], $11::timestamptz[], $12::float8[])
      WITH ORDINALITY AS row (portal_id, callback_id, contact_id, contact_email, sequence_id, request, reference, not_before, hours, position)
      JOIN portals USING (portal_id) WHERE portals.status = 'CONNECTED'
  ), stored AS (
    INSERT INTO executions (
      portal_id, callback_id, kind, is_held, state, source, lane, import_id, contact_id, contact_email, sequence_id, request,
      reference, due_at, has_waited, deadline_at, hold_ends_at)
    SELECT portal_id, callback_id, 'ENROLL', false, 'QUEUED', $1, $2, $3::bigint, contact_id, contact_email, sequence_id, request,
           reference, greatest(not_before, now()), coalesce(not_before > now(), false),
           greatest(not_before, now()) + hours * interval '1 hour',
           greatest(not_before, now()) + (hours + 24) * interval '1 hour'
      FROM incoming ORDER BY position
    ON CONFLICT (portal_id, callback_id) DO NOTHING
    RETURNING portal_id, id, callback_id
  )
  SELECT incoming.position::int, coalesce(stored.id, (
           SELECT known.id FROM executions known
            WHERE known.portal_id = incoming.portal_id AND known.callback_id = incoming.callback_id)) AS id
    FROM incoming LEFT JOIN stored USING (portal_id, callback_id)`;

/**
 * Stores enrollments, however many and of whatever accounts, in one statement of the caller's transaction.
 *
 * @returns the execution of each, in order; undefined for those whose account is not connected: they were not stored.
 */
export async function storeEnrollments(
  client: Pick<ClientBase, "query">,
  { source, lane, importId }: StoredOrigin,
  enrollments: readonly StoredEnrollment[],
): Promise<(bigint | undefined)[]> {
  if (enrollments.length === 0) return [];
  const column = (value: (row: StoredEnrollment) => unknown) => enrollments.map(value);
  const { rows } = await client.query<{ position: number; id: string }>({
    name: "store-enrollments",
    text: INSERT,
    values: [
      ...[source, lane, importId ?? null],
      column((row) => row.portalId),
      column((row) => row.callbackId),
      column((row) => row.contactId),
      column(({ contactEmail: email }) => email && cutText(email, LONGEST_ADDRESS)),
      column((row) => row.sequenceId),
      column((row) => JSON.stringify(row.request)),
      column((row) => row.reference),
      column((row) => row.notBefore),
      column((row) => row.deadlineHours),
    ],
  });
  const ids = new Map(rows.map(({ position, id }) => [position, BigInt(id)]));
  return enrollments.map((_, index) => ids.get(index + 1));
}
