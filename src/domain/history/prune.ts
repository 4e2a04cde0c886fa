import type { Pool } from "pg";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import { rememberCalls } from "#domain/executions/accept/past-calls.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/** How long executions are kept after their end if the portal's admin has not said otherwise. */
export const DEFAULT_RETENTION_DAYS = 400;
/**
 * It cannot be shorter: HubSpot holds a contact for seven days, and a repeated call that we no longer know would enroll
 * the contact a second time.
 */
export const MIN_RETENTION_DAYS = 8;

/** One step through a portal's history, oldest first. */
export interface PruneStep {
  readonly deleted: number;
  /** Where the next step begins; undefined: the rest is too recent to delete. */
  readonly after: ExecutionId | undefined;
}

/** Portals with a history. Skips from portal to portal in the primary key, so it costs portals, not executions. */
export async function portalsWithHistory(pool: Pool): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "portals-with-history",
    text: `
      WITH RECURSIVE portal AS (
        SELECT min(portal_id) AS portal_id FROM executions
        UNION ALL
        SELECT (SELECT min(e.portal_id) FROM executions e WHERE e.portal_id > portal.portal_id) FROM portal
         WHERE portal.portal_id IS NOT NULL
      )
      SELECT portal_id FROM portal WHERE portal_id IS NOT NULL`,
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}

/** Days in SQL from text of a JSON document: null if it has none, for example from another release. */
const wholeDays = (text: string): string => `CASE WHEN ${text} ~ '^[0-9]{1,5}$' THEN (${text})::int END`;

/** When an execution ended, in SQL: a contact may have waited for months before it was enrolled. */
export const ENDED_AT = "coalesce(e.completed_at, e.decided_at, e.accepted_at)";

/** An erasure of the history removed all personal data from it (erase.ts). */
const IS_BLANKED = "(e.accepted_at <= cutoff.erased_before AND e.request = '{}')";
/** Executions accepted later are too recent to delete. */
const LATEST = "greatest(cutoff.at, least(cutoff.erased_before, cutoff.blank_at))";

/**
 * Deletes, among the next `limit` executions by primary key, those that ended longer ago than the portal's retention.
 * Ids grow with the time of acceptance, and nothing ends before it: the first one accepted too late ends the pass.
 * Locks only the rows it deletes, and leaves rows that someone else holds for the next time. What a cooldown still
 * needs to know about an enrollment is kept separately, and so is the fact that each call was made. Rows blanked by an
 * erasure are deleted as soon as HubSpot cannot ask about them, and leave nothing for cooldowns.
 *
 * The states come with the rows, not as constants: with outdated statistics the planner would read the whole index of
 * finished executions by address (query-plans.test.ts).
 */
export async function pruneNext(
  pool: Pool,
  step: { portalId: PortalId; after: ExecutionId; limit: number },
): Promise<PruneStep> {
  const { rows } = await pool.query<{ deleted: string; last_id: string | null; is_end: boolean }>({
    name: "prune-executions",
    text: `
      WITH cutoff AS (
        SELECT now() - interval '1 day' * greatest($4::int, coalesce(
          (SELECT retention_days FROM portal_settings WHERE portal_id = $1), $5::int)) AS at,
          now() - interval '1 day' * $4::int AS blank_at,
          coalesce((SELECT erased_before FROM portal_settings WHERE portal_id = $1), '-infinity') AS erased_before,
          ARRAY['COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED'] AS finished,
          coalesce((SELECT max(${wholeDays("policy #>> '{cooldown,days}'")}) FROM presets WHERE portal_id = $1), 0) AS cooldown_days
      ), step AS (
        SELECT id, accepted_at FROM executions WHERE portal_id = $1 AND id > $2 ORDER BY id LIMIT $3
      ), old AS (
        SELECT e.id FROM executions e, cutoff
         WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM step, cutoff WHERE accepted_at < ${LATEST}))
           AND e.state = ANY (cutoff.finished) AND ${ENDED_AT} < CASE WHEN ${IS_BLANKED} THEN cutoff.blank_at ELSE cutoff.at END
           FOR UPDATE OF e SKIP LOCKED
      ), deleted AS (
        DELETE FROM executions e WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM old))
        RETURNING e.*
      ), unenrolled AS (
        DELETE FROM unenrollments u USING deleted d
         WHERE u.portal_id = $1 AND u.execution_id = d.id AND u.contact_id IS NULL
      ), unfollowed AS (
        DELETE FROM followed_enrollments f USING deleted d WHERE f.portal_id = $1 AND f.execution_id = d.id
      ), called AS (${rememberCalls("deleted")}
      ), remembered AS (
        INSERT INTO past_enrollments AS p (portal_id, contact_id, sequence_id, enrolled_at, sender_user_id, kept_until)
        SELECT DISTINCT ON (e.contact_id, e.sequence_id) $1, e.contact_id, e.sequence_id, e.enrolled_at, e.sender_user_id, until.at
          FROM deleted e, cutoff, LATERAL (
            SELECT e.enrolled_at + interval '1 day'
                     * greatest(cutoff.cooldown_days, coalesce(${wholeDays("e.request ->> 'cooldownDays'")}, 0)) AS at
          ) AS until
         WHERE NOT ${IS_BLANKED} AND e.enrollment_status = 'ENROLLED' AND e.contact_id <> '${ERASED_CONTACT}' AND e.sequence_id IS NOT NULL
           AND until.at > now()
         ORDER BY e.contact_id, e.sequence_id, e.enrolled_at DESC
        ON CONFLICT (portal_id, contact_id, sequence_id) DO UPDATE
          SET enrolled_at = excluded.enrolled_at, sender_user_id = excluded.sender_user_id, kept_until = excluded.kept_until
          WHERE excluded.enrolled_at > p.enrolled_at
      )
      SELECT (SELECT count(*) FROM deleted) AS deleted, max(step.id) AS last_id,
             count(*) < $3 OR bool_or(step.accepted_at >= ${LATEST}) AS is_end
        FROM step, cutoff`,
    values: [step.portalId, step.after, step.limit, MIN_RETENTION_DAYS, DEFAULT_RETENTION_DAYS],
  });
  const { deleted = "0", last_id = null, is_end = true } = rows[0] ?? {};
  return { deleted: Number(deleted), after: is_end || last_id === null ? undefined : BigInt(last_id) };
}
