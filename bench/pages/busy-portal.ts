import type { Pool } from "pg";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";

/** Executions of the portal, most of them of the last month: where an admin looks. */
const EXECUTIONS = 100_000;
const OF_LAST_MONTH = 60_000;
const PEOPLE = 200;
const SENDERS = 30;
const SEQUENCES = 20;
const WORKFLOWS = 5;
const WAITS = 2_000;
const RETRIES = 500;
const QUEUED = 500;
const WATCHED = 200;
const FIRST_PERSON = 9_200_000;

/** Of 1,000 executions, this many are enrolled, were already, were skipped; the rest failed, with all the codes. */
const SHARES = { enrolled: 700, already: 760, skipped: 800 } as const;

/** A portal after a year of work: mixed outcomes, people, policy, and some who wait. */
export async function fillBusyPortal(pool: Pool, portalId: number): Promise<void> {
  await addDirectory(pool, portalId);
  await addPolicy(pool, portalId);
  await addExecutions(pool, portalId);
  await addSteps(pool, portalId);
  await addEnds(pool, portalId);
  await addNotes(pool, portalId);
  await pool.query(`VACUUM ANALYZE`);
}

async function addDirectory(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `INSERT INTO users (portal_id, user_id, email, first_name, last_name, super_admin, seat_names, is_listed)
     SELECT $1::bigint, $2::bigint + number, 'rep' || number || '@acme.example', 'Rep', 'Number ' || number, false, '{sales-professional}', true
       FROM generate_series(1, $3::int) AS number`,
    [portalId, FIRST_PERSON, PEOPLE],
  );
  await pool.query(
    `INSERT INTO owners (portal_id, owner_id, user_id, email, first_name, last_name, type, is_archived)
     SELECT portal_id, 'o' || user_id, user_id, email, first_name, last_name, 'PERSON', false FROM users WHERE portal_id = $1`,
    [portalId],
  );
  await pool.query(
    `INSERT INTO sequences (portal_id, sequence_id, name, is_listed)
     SELECT $1::bigint, (700 + number)::text, 'Outbound EMEA ' || number, true FROM generate_series(1, $2::int) AS number`,
    [portalId, SEQUENCES],
  );
}

async function addPolicy(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `INSERT INTO senders (portal_id, user_id, daily_cap, window_days, refused_code, refused_message, refused_at)
     SELECT $1::bigint, $2::bigint + number, 200, '{1,2,3,4,5}', CASE WHEN number % 7 = 0 THEN 'INBOX_NOT_CONNECTED' END,
            CASE WHEN number % 7 = 0 THEN 'The sender has no connected personal inbox.' END, CASE WHEN number % 7 = 0 THEN now() END
       FROM generate_series(1, $3::int) AS number`,
    [portalId, FIRST_PERSON, SENDERS],
  );
  await pool.query(
    `WITH rotation AS (
       INSERT INTO rotations (portal_id, name) SELECT $1::bigint, 'Team ' || number FROM generate_series(1, 10) AS number
       RETURNING portal_id, rotation_id
     )
     INSERT INTO rotation_members (portal_id, rotation_id, user_id, weight)
     SELECT portal_id, rotation_id, $2::bigint + number, 1 FROM rotation, generate_series(1, $3::int) AS number`,
    [portalId, FIRST_PERSON, SENDERS],
  );
  await pool.query(
    `INSERT INTO presets (portal_id, name, policy)
     SELECT $1::bigint, 'Preset ' || number, $2::jsonb FROM generate_series(1, 10) AS number`,
    [portalId, JSON.stringify(INITIAL_POLICY)],
  );
}

/** The oldest first, as they came: an execution's number decides the time, the outcome and whom it is about. */
const MOMENT = `CASE WHEN number <= $2::int - $3::int
  THEN now() - interval '30 days' - (1 - number::float8 / ($2::int - $3::int)) * interval '335 days'
  ELSE now() - (1 - (number - ($2::int - $3::int))::float8 / $3::int) * interval '30 days' - interval '1 minute' END`;

async function addExecutions(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, due_at, deadline_at, contact_id, contact_email,
            workflow_id, sequence_id, sequence_name, request, attempts, first_attempt_at, sender_user_id, sender_email,
            execution_state, enrollment_status, error_code, error_message, last_problem, enrollment_id, enrolled_at,
            decided_at, completion_tries, completed_at)
     SELECT $1::bigint, 'ap-busy-' || number, 'ENROLL', 'COMPLETED', at, at, at + interval '6 days', (10000000 + number)::text,
            'ada.king' || number || '@example.com', (7001 + number % $4::int)::text, (701 + number % $5::int)::text,
            'Outbound EMEA ' || 1 + number % $5::int, jsonb_build_object('senderMode', 'contact_owner', 'ifAlreadyEnrolled', 'skip',
              'properties', jsonb_build_object('firstname', 'Ada', 'lastname', 'King Number ' || number)), 1, at,
            $6::bigint + 1 + number % $7::int, 'rep' || 1 + number % $7::int || '@acme.example',
            CASE WHEN status IN ('ENROLLED', 'ALREADY_ENROLLED') THEN 'SUCCESS' ELSE 'FAIL_CONTINUE' END, status, code,
            CASE WHEN code IS NOT NULL THEN 'HubSpot refused to enroll the contact: ' || code END,
            CASE WHEN status = 'FAILED' THEN '400 ' || code END, CASE WHEN status = 'ENROLLED' THEN number::text END,
            CASE WHEN status = 'ENROLLED' THEN done END, done, 1, done
       FROM generate_series(1, $2::int) AS number,
            LATERAL (SELECT ${MOMENT} AS at, number::bigint * 7919 % 1000 AS dice) AS chosen,
            LATERAL (SELECT at + (1 + number % 90) * interval '1 second' AS done,
                            CASE WHEN dice < $8 THEN 'ENROLLED' WHEN dice < $9 THEN 'ALREADY_ENROLLED'
                                 WHEN dice < $10 THEN 'SKIPPED' ELSE 'FAILED' END AS status) AS decided,
            LATERAL (SELECT CASE status WHEN 'SKIPPED' THEN 'COOLDOWN_ACTIVE'
                                        WHEN 'FAILED' THEN ($11::text[])[1 + number % cardinality($11::text[])] END AS code) AS why`,
    [
      ...[portalId, EXECUTIONS, OF_LAST_MONTH, WORKFLOWS, SEQUENCES, FIRST_PERSON, SENDERS],
      ...[SHARES.enrolled, SHARES.already, SHARES.skipped, ERROR_CODES],
    ],
  );
}

/** Waits for the end of what was enrolled, retries of what was not, and contacts that wait now. */
async function addSteps(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, deadline_at, contact_id, contact_email, workflow_id,
            sequence_id, request, outputs, decided_at, completed_at)
     SELECT portal_id, 'ap-wait-' || id, 'WAIT_FOR_SEQUENCE_END', 'COMPLETED', enrolled_at, deadline_at, contact_id, contact_email,
            workflow_id, sequence_id, '{"maxWaitDays": 14}', jsonb_build_object('sequence_id', sequence_id, 'outcome',
              (ARRAY['REPLIED', 'FINISHED', 'UNENROLLED'])[1 + id % 3]), least(enrolled_at + interval '5 days', now()), now()
       FROM (SELECT * FROM executions WHERE portal_id = $1 AND enrollment_status = 'ENROLLED' ORDER BY id DESC LIMIT $2) AS late`,
    [portalId, WAITS],
  );
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, is_held, retry_of, state, accepted_at, deadline_at, contact_id, contact_email,
            workflow_id, sequence_id, request, enrollment_status, enrolled_at, sender_user_id, decided_at, completed_at)
     SELECT portal_id, 'retry:' || id || ':1', kind, false, id, 'COMPLETED', decided_at, deadline_at, contact_id, contact_email,
            workflow_id, sequence_id, request, 'ENROLLED', now(), sender_user_id, now(), now()
       FROM (SELECT * FROM executions WHERE portal_id = $1 AND enrollment_status = 'FAILED' ORDER BY id DESC LIMIT $2) AS late`,
    [portalId, RETRIES],
  );
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, contact_email, workflow_id,
            sequence_id, request, outputs)
     SELECT $1::bigint, 'ap-open-' || number, CASE WHEN number <= $2 THEN 'ENROLL' ELSE 'WAIT_FOR_SEQUENCE_END' END,
            CASE WHEN number <= $2 THEN 'QUEUED' ELSE 'WATCHING' END, now() + interval '1 hour', now() + interval '6 days',
            (20000000 + number)::text, 'waits' || number || '@example.com', '7001', '701', '{"senderMode": "contact_owner"}',
            CASE WHEN number > $2 THEN '{}'::jsonb END
       FROM generate_series(1, $2::int + $3::int) AS number`,
    [portalId, QUEUED, WATCHED],
  );
}

/** What became of what was enrolled in the last 90 days: of most the end is known, and the last are still in it. */
async function addEnds(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `INSERT INTO followed_enrollments (portal_id, execution_id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at,
            next_look_at, looked_at, outcome, ended_at, noted_at, opened_at, clicked_at, replied_at, meeting_at)
     SELECT portal_id, id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at,
            CASE WHEN NOT is_over THEN now() + interval '1 day' END, now(), CASE WHEN is_over THEN outcome END,
            CASE WHEN is_over THEN ended_at END, CASE WHEN is_over THEN ended_at END, CASE WHEN id % 2 = 0 THEN ended_at END,
            CASE WHEN id % 6 = 0 THEN ended_at END, CASE WHEN outcome = 'REPLIED' THEN ended_at END, CASE WHEN id % 40 = 0 THEN ended_at END
       FROM (SELECT *, (ARRAY['REPLIED', 'FINISHED', 'FINISHED', 'UNENROLLED'])[1 + id % 4] AS outcome,
                    enrolled_at + interval '9 days' AS ended_at, enrolled_at < now() - interval '10 days' AS is_over
               FROM executions WHERE portal_id = $1 AND enrollment_status = 'ENROLLED' AND decided_at > now() - interval '90 days') AS e`,
    [portalId],
  );
}

/** What the audit, the alerts and the bulk jobs have to show. */
async function addNotes(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `INSERT INTO audit_entries (portal_id, at, user_id, user_email, subject, subject_name, action, before, after)
     SELECT $1::bigint, now() - number * interval '3 hours', $2::bigint + number % 5, 'rep1@acme.example', 'sender', 'Rep ' || number,
            'CHANGED', '{"dailyCap": 100}', '{"dailyCap": 200}' FROM generate_series(1, 2000) AS number`,
    [portalId, FIRST_PERSON],
  );
  await pool.query(
    `INSERT INTO alerts (portal_id, kind, channel, message, outcome, ended_at, tries)
     SELECT $1::bigint, 'FAILURES_HIGH', channel, 'Many contacts were not enrolled.', 'SENT', now(), 1
       FROM unnest('{EMAIL,WEBHOOK}'::text[]) AS channel, generate_series(1, 200)`,
    [portalId],
  );
  await pool.query(
    `INSERT INTO portal_settings (portal_id, alert_email) VALUES ($1, 'ops@acme.example')
     ON CONFLICT (portal_id) DO UPDATE SET alert_email = excluded.alert_email`,
    [portalId],
  );
  await pool.query(
    `INSERT INTO bulk_jobs (portal_id, action, filter, state, before_id, examined, changed, ended_at)
     SELECT $1::bigint, 'RETRY', '{}', 'DONE', 1, 1000, 10, now() FROM generate_series(1, 50)`,
    [portalId],
  );
}
