import { contactName } from "#domain/contract/actions/contact-name.js";
import { ERASED_CONTACT, type Moves } from "#domain/contract/execution.js";
import { SEQUENCES_BEFORE } from "#domain/executions/retry.js";
import { forgetAnswers, tellOutcomes, TOLD_COLUMNS } from "#domain/subscriptions/tell.js";

/**
 * `$1` portals and `$2` contacts, in pairs. Locked in order of ids, so that two concurrent deliveries do not block each
 * other. Whatever depends on the state is read here: another read in the same statement would return the row as it was
 * before the lock wait.
 */
const affected = (condition: string): string => `affected AS (
  SELECT e.portal_id, e.id, e.state, e.epoch, e.kind, e.due_at, e.contact_id, e.contact_email, ${contactName("e")} AS contact_name FROM unnest($1::bigint[], $2::text[]) AS named (portal_id, contact_id)
    JOIN executions e ON e.portal_id = named.portal_id AND e.contact_id = named.contact_id
   WHERE ${condition} ORDER BY e.portal_id, e.id FOR UPDATE OF e
)`;

/**
 * Due at once, and at a time that differs from the earlier one even if it was due already: a check under way read the
 * contact before the event, and sees by the changed time that it must not postpone the next check (watch.ts).
 */
const AT_ONCE = `least(now(), a.due_at - interval '1 millisecond')`;

export const LOOK_NOW = `
  WITH ${affected(`e.state = 'WATCHING'`)}, unenrolling AS (
    UPDATE unenrollments u SET due_at = now() FROM affected a
     WHERE u.portal_id = a.portal_id AND u.execution_id = a.id AND u.state = 'STAMPED'
  )
  UPDATE executions e SET due_at = ${AT_ONCE} FROM affected a, portals p
   WHERE e.portal_id = a.portal_id AND e.id = a.id AND p.portal_id = e.portal_id AND p.status = 'CONNECTED'
  RETURNING e.portal_id`;

/**
 * Followed enrollments of the contact are looked at within half a minute, together with others of the portal. One that is
 * due already gets another time as well, for the reason of {@link AT_ONCE}. Nobody waits for these looks: no portal is woken.
 */
export const LOOK_AT_ENROLLMENTS_SOON = `
  UPDATE followed_enrollments f
     SET next_look_at = least(date_bin('30 seconds', now(), timestamptz 'epoch') + interval '30 seconds',
                              f.next_look_at - interval '1 millisecond')
    FROM unnest($1::bigint[], $2::text[]) AS named (portal_id, contact_id)
    JOIN executions e ON e.portal_id = named.portal_id AND e.contact_id = named.contact_id
    JOIN portals p ON p.portal_id = e.portal_id AND p.status = 'CONNECTED'
   WHERE f.portal_id = e.portal_id AND f.execution_id = e.id AND f.next_look_at IS NOT NULL`;

/**
 * `$3`: what each contact was merged into. Its history moves along, so that a later privacy deletion of either covers
 * it. What the call said about the old contact is dropped: the new one's data is read from HubSpot.
 */
export const MERGE = `
  WITH ${affected("true")}, became AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) AS row (portal_id, contact_id, became_id)
  ), put_in_as AS (
    UPDATE flow_entries w SET contact_id = became.became_id FROM became
     WHERE w.portal_id = became.portal_id AND w.contact_id = became.contact_id
  ), moved AS (
    DELETE FROM past_enrollments p USING became WHERE p.portal_id = became.portal_id AND p.contact_id = became.contact_id
    RETURNING p.*, became.became_id
  ), kept AS (
    INSERT INTO past_enrollments AS p (portal_id, contact_id, sequence_id, enrolled_at, sender_user_id, kept_until)
    SELECT DISTINCT ON (portal_id, became_id, sequence_id) portal_id, became_id, sequence_id, enrolled_at, sender_user_id, kept_until
      FROM moved ORDER BY portal_id, became_id, sequence_id, enrolled_at DESC
    ON CONFLICT (portal_id, contact_id, sequence_id) DO UPDATE
      SET enrolled_at = excluded.enrolled_at, sender_user_id = excluded.sender_user_id, kept_until = excluded.kept_until
      WHERE excluded.enrolled_at > p.enrolled_at
  )
  UPDATE executions e SET contact_id = became.became_id, has_waited = true, due_at = CASE WHEN a.state = 'WATCHING' THEN ${AT_ONCE} ELSE e.due_at END
    FROM affected a, portals p, became
   WHERE e.portal_id = a.portal_id AND e.id = a.id AND p.portal_id = e.portal_id AND p.status = 'CONNECTED'
     AND became.portal_id = a.portal_id AND became.contact_id = a.contact_id
  RETURNING e.portal_id`;

export const ERASURE_MOVES = {
  QUEUED: ["DECIDED"],
  UNCERTAIN: ["DECIDED"],
  WATCHING: ["DECIDED"],
  DECIDED: ["DECIDED"],
} as const satisfies Moves;

/**
 * Open executions are decided, or, if a request for one is in flight, end with that request. Codes and counts stay;
 * messages, which may quote HubSpot about an address, are replaced by the code's own sentence.
 */
export const ERASE = `
  WITH ${affected("true")}, marked AS (
    SELECT portal_id, id, contact_email, contact_name,
           state IN ('QUEUED', 'WATCHING') OR (state = 'UNCERTAIN' AND epoch IS NULL)
             OR (state = 'DECIDED' AND kind <> 'ENROLL') AS is_moot
      FROM affected
  ), unenrolled AS (
    UPDATE unenrollments u SET state = 'DONE', contact_id = NULL, stamp = NULL, last_problem = NULL, ended_at = now() FROM affected a
     WHERE u.portal_id = a.portal_id AND u.execution_id = a.id
  ), unfollowed AS (
    DELETE FROM followed_enrollments f USING affected a WHERE f.portal_id = a.portal_id AND f.execution_id = a.id
  ), put_in_none AS (
    UPDATE flow_entries w
       SET state = 'DONE', contact_id = NULL, email = NULL, message = NULL, outcome = coalesce(w.outcome, 'CONTACT_NOT_FOUND'),
           ended_at = coalesce(w.ended_at, now())
      FROM unnest($1::bigint[], $2::text[]) AS named (portal_id, contact_id)
     WHERE w.portal_id = named.portal_id AND w.contact_id = named.contact_id
  ), forgotten AS (
    DELETE FROM past_enrollments p USING unnest($1::bigint[], $2::text[]) AS named (portal_id, contact_id)
     WHERE p.portal_id = named.portal_id AND p.contact_id = named.contact_id
  ), ${forgetAnswers("affected")}, erased AS (
  UPDATE executions e
     SET contact_id = '${ERASED_CONTACT}', contact_email = NULL, outputs = NULL, sender_choice = NULL, last_problem = NULL,
         completion_problem = NULL, reference = NULL,
         request = e.request - 'properties' - 'sequencesBefore'
           - CASE WHEN e.state IN ('COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED') THEN 'requestContext' ELSE '' END,
         state = CASE WHEN m.is_moot THEN 'DECIDED' ELSE e.state END,
         due_at = CASE WHEN m.is_moot THEN now() ELSE e.due_at END,
         decided_at = CASE WHEN m.is_moot THEN now() ELSE e.decided_at END,
         execution_state = CASE WHEN m.is_moot THEN 'FAIL_CONTINUE' ELSE e.execution_state END,
         enrollment_status = CASE WHEN m.is_moot AND e.kind = 'ENROLL' THEN 'FAILED' ELSE e.enrollment_status END,
         error_code = CASE WHEN m.is_moot THEN 'CONTACT_NOT_FOUND' ELSE e.error_code END,
         error_message = $3::jsonb ->> CASE WHEN m.is_moot THEN 'CONTACT_NOT_FOUND' ELSE e.error_code END
    FROM marked m
   WHERE e.portal_id = m.portal_id AND e.id = m.id
  RETURNING ${TOLD_COLUMNS}, m.is_moot, m.contact_email, m.contact_name
  ), decided AS (
    SELECT * FROM erased WHERE is_moot
  ), ${tellOutcomes("decided")}
  SELECT portal_id, contact_email, contact_name FROM erased`;

/**
 * For contacts into which an erased one had been merged: HubSpot still has them, or reports them when they go, too. So
 * their ids, outcomes and open executions stay, and whatever may identify the erased contact goes: addresses,
 * properties, HubSpot's messages. Open executions are judged by what HubSpot says then.
 */
export const FORGET_MERGED = `
  WITH ${affected("true")}, open AS (
    SELECT portal_id, id, contact_email, contact_name, state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN', 'WATCHING') AS is_open FROM affected
  ), ${forgetAnswers("affected")}
  UPDATE executions e
     SET contact_email = NULL, sender_choice = NULL, last_problem = NULL, completion_problem = NULL, reference = NULL,
         outputs = CASE WHEN e.state IN ('WATCHING', 'DECIDED') THEN e.outputs END,
         has_waited = e.has_waited OR o.is_open,
         request = (e.request - 'properties')
           || CASE WHEN o.is_open AND NOT e.request ? 'sequencesBefore' THEN ${SEQUENCES_BEFORE} ELSE '{}' END,
         error_message = $3::jsonb ->> e.error_code
    FROM open o
   WHERE e.portal_id = o.portal_id AND e.id = o.id
  RETURNING e.portal_id, o.contact_email, o.contact_name`;
