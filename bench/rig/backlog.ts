import type { Pool } from "pg";
import { FIRST_CONTACT, OWNER_ID, SEQUENCE_ID } from "./simulator-client.js";

/** The user behind the owner that every contact has: the seeds of the simulator are fixed. */
export const SENDER_USER_ID = "9100001";

const requestOf = (
  senderMode: SenderMode,
): string => `jsonb_build_object('senderMode', '${senderMode}', 'ifAlreadyEnrolled', 'skip', 'properties',
  jsonb_build_object('email', 'ada.king' || number || '@example.com', 'hubspot_owner_id', '${OWNER_ID}',
    'hs_sequences_is_enrolled', 'false'))`;

type SenderMode = "contact_owner" | "portal_default";

/** Accepted calls that wait for their turn, as the action would have stored them; contacts from `firstContact` on. */
export async function addBacklog(
  pool: Pool,
  options: { portalIds: readonly number[]; each: number; from?: number; senderMode?: SenderMode },
): Promise<void> {
  const from = options.from ?? 0;
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, contact_email, workflow_id, sequence_id, request)
     SELECT portal, 'ap-' || portal || '-backlog-' || number, 'ENROLL', 'QUEUED', now() + interval '6 days',
            (${FIRST_CONTACT} + number)::text, 'ada.king' || number || '@example.com', '7001', '${SEQUENCE_ID}', ${requestOf(options.senderMode ?? "contact_owner")}
       FROM unnest($1::bigint[]) AS portal, generate_series($2::int, $3::int) AS number
      ORDER BY number, portal`,
    [options.portalIds, from, from + options.each - 1],
  );
}

/** Finished executions of the past: what a table has grown by. Spread evenly over the portals and the last year. */
export async function addHistory(
  pool: Pool,
  options: { portalIds: readonly number[]; total: number },
): Promise<void> {
  const perPortal = Math.ceil(options.total / options.portalIds.length);
  for (const portalId of options.portalIds) {
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, due_at, deadline_at, contact_id, contact_email,
              workflow_id, sequence_id, request, attempts, first_attempt_at, sender_user_id, sender_email, execution_state,
              enrollment_status, enrollment_id, enrolled_at, sequence_name, decided_at, completion_tries, completed_at)
       SELECT $1::bigint, 'ap-' || $1::bigint || '-past-' || number, 'ENROLL', 'COMPLETED', at, at, at + interval '6 days',
              (10000000 + number)::text, 'ada.king' || number || '@example.com', '7001', '${SEQUENCE_ID}', ${requestOf("contact_owner")}, 1, at,
              ${SENDER_USER_ID}, 'rep@acme.example', 'SUCCESS', 'ENROLLED', number::text, at, 'Outbound', at, 1, at
         FROM generate_series(1, $2::int) AS number,
              LATERAL (SELECT now() - (number::float8 / $2::int) * interval '365 days' AS at) AS moment`,
      [portalId, perPortal],
    );
  }
  await pool.query(`VACUUM ANALYZE executions`);
}

/** Enrollments of yesterday that are still open, and due to be looked at: of contacts from `from` on, which HubSpot has. */
export async function addOpenEnrollments(
  pool: Pool,
  portalId: number,
  { from, count }: { from: number; count: number },
): Promise<void> {
  await pool.query(
    `WITH stored AS (
       INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, due_at, deadline_at, contact_id, workflow_id, sequence_id,
              request, enrollment_status, enrolled_at, decided_at, completed_at)
       SELECT $1::bigint, 'ap-open-' || number, 'ENROLL', 'COMPLETED', at, at, at, (${FIRST_CONTACT} + number)::text, '7001', '${SEQUENCE_ID}',
              ${requestOf("contact_owner")}, 'ENROLLED', at, at, at
         FROM generate_series($2::int, $3::int) AS number, LATERAL (SELECT now() - interval '1 day' AS at) AS moment
       RETURNING *
     )
     INSERT INTO followed_enrollments (portal_id, execution_id, sequence_id, workflow_id, decided_at, enrolled_at, next_look_at)
     SELECT portal_id, id, sequence_id, workflow_id, decided_at, enrolled_at, now() FROM stored`,
    [portalId, from, from + count - 1],
  );
  await pool.query(`ANALYZE executions, followed_enrollments`);
}

/** Portals that count as connected, with no grant: enough for calls to be accepted. */
export async function connectPortals(pool: Pool, portalIds: readonly number[]): Promise<void> {
  await pool.query(
    `INSERT INTO portals (portal_id, status, scopes) SELECT unnest($1::bigint[]), 'CONNECTED', '{}' ON CONFLICT DO NOTHING`,
    [portalIds],
  );
}

/** How many executions are not finished yet. */
export async function openCount(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(
    // Each state by a partial index of its own, never by the table: looking must not be what is measured.
    `SELECT (SELECT count(*) FROM executions WHERE state = 'QUEUED')
          + (SELECT count(*) FROM executions WHERE state = 'ATTEMPTING' AND epoch IS NOT NULL)
          + (SELECT count(*) FROM executions WHERE state = 'UNCERTAIN')
          + (SELECT count(*) FROM executions WHERE state = 'DECIDED') AS count`,
  );
  return Number(rows[0]?.count ?? 0);
}
