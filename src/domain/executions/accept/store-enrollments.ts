import type { ClientBase } from "pg";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { EnrollRequest, Lane, Source } from "#domain/contract/execution.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";

/** An enrollment that no workflow called for: HubSpot holds nobody for it, and expects no completion. */
export interface StoredEnrollment {
  readonly portalId: PortalId;
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
  /** Hours after which it is given up if unfinished, from when it may first be tried. */
  readonly deadlineHours: number;
}

/** Where a group of enrollments comes from. */
export interface StoredOrigin {
  readonly source: Source;
  readonly lane: Lane;
  readonly importId: bigint | undefined;
}

/** What the statement returns about enrollments, besides storing them. */
interface Variant {
  /** SQL: whether `row`, one of what came in, may be stored. */
  readonly isFit: string;
  /** SQL: further columns of what is stored, from `e`. */
  readonly columns: string;
  /** SQL: what is returned for each row in `incoming`; `stored` is what was stored for it. */
  readonly answer: string;
}

/** For an account that is not connected nothing is stored and nothing returned. */
const insert = ({ isFit, columns, answer }: Variant): string => `
  WITH incoming AS (
    SELECT row.*, ${isFit} AS is_fit FROM unnest(
        $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::text[], $11::timestamptz[], $12::float8[])
      WITH ORDINALITY AS row (portal_id, callback_id, contact_id, contact_email, sequence_id, request, reference, not_before, hours, position)
      JOIN portals USING (portal_id) WHERE portals.status = 'CONNECTED'
  ), stored AS (
    INSERT INTO executions AS e (
      portal_id, callback_id, kind, is_held, state, source, lane, import_id, contact_id, contact_email, sequence_id, request,
      reference, due_at, has_waited, deadline_at, hold_ends_at)
    SELECT portal_id, callback_id, 'ENROLL', false, 'QUEUED', $1, $2, $3::bigint, contact_id, contact_email, sequence_id, request,
           reference, greatest(not_before, now()), coalesce(not_before > now(), false),
           greatest(not_before, now()) + hours * interval '1 hour',
           greatest(not_before, now()) + (hours + 24) * interval '1 hour'
      FROM incoming WHERE is_fit ORDER BY position
    ON CONFLICT (portal_id, callback_id) DO NOTHING
    RETURNING e.portal_id, e.callback_id, ${columns}
  )
  SELECT incoming.position::int, ${answer} FROM incoming LEFT JOIN stored USING (portal_id, callback_id)`;

/**
 * What is known under a callback id is not stored again, and looked for by itself: as a join it would be planned once for
 * all, and on a new database by reading the whole table each time.
 */
const STORE = insert({
  isFit: "true",
  columns: "e.id",
  answer: `coalesce(stored.id, (
    SELECT known.id FROM executions known
     WHERE known.portal_id = incoming.portal_id AND known.callback_id = incoming.callback_id)) AS id`,
});

/** Looked for row by row, for the same reason. */
const IS_LISTED = `coalesce((
  SELECT s.is_listed FROM sequences s WHERE s.portal_id = row.portal_id AND s.sequence_id = row.sequence_id), false)`;

function valuesOf(
  { source, lane, importId }: StoredOrigin,
  enrollments: readonly StoredEnrollment[],
): unknown[] {
  const column = (value: (row: StoredEnrollment) => unknown) => enrollments.map(value);
  return [
    source,
    lane,
    importId ?? null,
    column((row) => row.portalId),
    column((row) => row.callbackId),
    column((row) => row.contactId),
    column(({ contactEmail: email }) => email && cutText(email, LONGEST_ADDRESS)),
    column((row) => row.sequenceId),
    column((row) => JSON.stringify(row.request)),
    column((row) => row.reference),
    column((row) => row.notBefore),
    column((row) => row.deadlineHours),
  ];
}

/**
 * Stores enrollments, however many and of whatever accounts, in one statement of the caller's transaction.
 *
 * @returns the execution of each, in order; undefined for those whose account is not connected: they were not stored.
 */
export async function storeEnrollments(
  client: Pick<ClientBase, "query">,
  origin: StoredOrigin,
  enrollments: readonly StoredEnrollment[],
): Promise<(ExecutionId | undefined)[]> {
  if (enrollments.length === 0) return [];
  const values = valuesOf(origin, enrollments);
  const { rows } = await client.query<{ position: number; id: string }>({
    name: "store-enrollments",
    text: STORE,
    values,
  });
  const ids = new Map(rows.map(({ position, id }) => [position, BigInt(id)]));
  return enrollments.map((_, index) => ids.get(index + 1));
}

/** What happened to an enrollment whose sequence had to be listed. */
export type StoredRow<Row> =
  | { readonly kind: "stored"; readonly row: Row }
  /** The account has no such sequence. */
  | { readonly kind: "unlisted" }
  | { readonly kind: "not-connected" };

/**
 * Stores enrollments with callback ids that nothing else has, if the account lists their sequences, and reads what was
 * stored, all in one statement.
 *
 * @param columns SQL: what is read, from `executions e`; `id` is among it
 */
export async function storeAndRead<Row extends { readonly id: string }>(
  client: Pick<ClientBase, "query">,
  origin: StoredOrigin,
  { enrollments, columns }: { enrollments: readonly StoredEnrollment[]; columns: string },
): Promise<StoredRow<Row>[]> {
  if (enrollments.length === 0) return [];
  const { rows } = await client.query<{ position: number; id: string | null }>({
    name: "store-and-read-enrollments",
    text: insert({ isFit: IS_LISTED, columns, answer: "stored.*" }),
    values: valuesOf(origin, enrollments),
  });
  const answers = new Map(rows.map((row) => [row.position, row]));
  return enrollments.map((_, index) => {
    const answer = answers.get(index + 1);
    if (answer === undefined) return { kind: "not-connected" };
    return answer.id === null ? { kind: "unlisted" } : { kind: "stored", row: answer as unknown as Row };
  });
}
