import type { Pool } from "pg";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import { FOLLOWED_DAYS } from "./look-times.js";

/** A finding's transaction may commit this long after the time it wrote: each step looks back that far again. */
const IN_FLIGHT_SECONDS = 60;
/** Enrollments of one portal that one step takes on. */
const STEP = 2_000;

/**
 * Enrollments that are not followed yet, by the index of what was decided. They are found beside the work and not written
 * with the findings: so that no finding waits for it, costs a statement more, or fails with it. A portal without progress
 * begins with what it enrolled in the last {@link FOLLOWED_DAYS} days.
 *
 * OFFSET 0: the portal's decisions come in their order from that index, whatever the database's statistics make of the other
 * indexes, and those that are followed are looked up one by one. Otherwise all of the portal's history would be read.
 *
 * `next_look_at`: at the earliest the next full hour of the portal's grid, as `nextRegularLook` has it.
 */
const FOLLOW = `
  WITH portal AS MATERIALIZED (
    SELECT p.portal_id, coalesce(g.followed_to, now() - interval '1 day' * $3::int) AS followed_to,
           coalesce(s.erased_before, '-infinity') AS erased_before
      FROM portals p LEFT JOIN follow_progress g USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)
     WHERE p.status = 'CONNECTED'
  ), step AS MATERIALIZED (
    SELECT portal.portal_id, portal.erased_before, d.id, d.decided_at FROM portal, LATERAL (
      SELECT e.id, e.decided_at FROM (
        SELECT id, decided_at, kind, enrollment_status FROM executions
         WHERE portal_id = portal.portal_id AND decided_at > portal.followed_to - interval '1 second' * $1::int
         ORDER BY decided_at OFFSET 0
      ) AS e
       WHERE e.kind = 'ENROLL' AND e.enrollment_status = 'ENROLLED'
         AND NOT EXISTS (SELECT FROM followed_enrollments f WHERE f.portal_id = portal.portal_id AND f.execution_id = e.id OFFSET 0)
       LIMIT $2
    ) AS d
  ), followed AS (
    INSERT INTO followed_enrollments (portal_id, execution_id, sequence_id, sender_user_id, workflow_id, decided_at, enrolled_at, next_look_at)
    SELECT step.portal_id, e.id, e.sequence_id, e.sender_user_id, e.workflow_id, step.decided_at, e.enrolled_at,
           date_bin('1 hour', now(), timestamptz 'epoch' + (step.portal_id * 7919 % 86400000) * interval '1 millisecond') + interval '1 hour'
      FROM step, LATERAL (SELECT * FROM executions e WHERE e.portal_id = step.portal_id AND e.id = step.id OFFSET 0) AS e
     WHERE e.enrolled_at IS NOT NULL AND e.contact_id <> '${ERASED_CONTACT}' AND e.accepted_at > step.erased_before
    ON CONFLICT (portal_id, execution_id) DO NOTHING
    RETURNING portal_id
  ), done AS (
    SELECT portal_id, count(step.id) = $2 AS is_full, CASE WHEN count(step.id) = $2 THEN max(step.decided_at) ELSE now() END AS followed_to
      FROM portal LEFT JOIN step USING (portal_id)
     WHERE step.id IS NOT NULL OR portal.followed_to < now() - interval '1 hour' GROUP BY portal_id
  ), progress AS (
    INSERT INTO follow_progress AS g (portal_id, followed_to) SELECT portal_id, followed_to FROM done
    ON CONFLICT (portal_id) DO UPDATE SET followed_to = greatest(g.followed_to, excluded.followed_to)
  )
  SELECT (SELECT count(*) FROM followed)::int AS followed, coalesce((SELECT bool_or(is_full) FROM done), false) AS is_more_left`;

/**
 * Begins to follow the enrollments that were decided since the last step, of every connected portal.
 *
 * @returns how many, and whether a portal had more than one step takes on.
 */
export async function followNew(pool: Pool): Promise<{ followed: number; isMoreLeft: boolean }> {
  const { rows } = await pool.query<{ followed: number; is_more_left: boolean }>({
    name: "follow-new-enrollments",
    text: FOLLOW,
    values: [IN_FLIGHT_SECONDS, STEP, FOLLOWED_DAYS],
  });
  const { followed = 0, is_more_left = false } = rows[0] ?? {};
  return { followed, isMoreLeft: is_more_left };
}
