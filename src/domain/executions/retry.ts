import { ERASED_CONTACT } from "#domain/contract/execution.js";
import { DOUBT_PROPERTIES } from "#domain/contract/sequence-facts.js";

/**
 * SQL: the row ended without HubSpot's answer to a request that may have taken effect. Rows from before this was
 * recorded show it by their sender: a row that was certainly not sent and ended with these codes has none.
 */
const ENDED_IN_DOUBT = `(r.ended_in_doubt OR (r.doubted_at IS NULL AND r.sender_user_id IS NOT NULL
    AND coalesce(r.error_code IN ('DEADLINE_EXCEEDED', 'HUBSPOT_UNAVAILABLE', 'CANCELLED'), false)))`;

/** SQL: the family's latest execution in doubt, for the sender whose request may have taken effect. */
const latestDoubt = (column: "sender_user_id" | "sender_email"): string =>
  `(array_agg(r.${column} ORDER BY r.id DESC) FILTER (WHERE ${ENDED_IN_DOUBT} AND r.sender_user_id IS NOT NULL))[1]`;

/** What all executions of a family know together: the call from HubSpot and its retries. */
const FAMILY = `
  SELECT count(r.retry_of) AS retry_count, min(r.first_attempt_at) AS first_attempt_at,
         CASE WHEN bool_and(r.first_attempt_at IS NULL OR r.first_sent_at IS NOT NULL) THEN min(r.first_sent_at) END AS first_sent_at,
         CASE WHEN NOT bool_or(${ENDED_IN_DOUBT} AND r.doubted_at IS NULL) THEN coalesce(max(r.doubted_at), 'epoch') END AS doubted_at,
         ${latestDoubt("sender_user_id")} AS sender_user_id, ${latestDoubt("sender_email")} AS sender_email,
         bool_or(r.enrollment_status = 'ENROLLED' OR (r.retry_of IS NOT NULL AND r.decided_at IS NULL)) IS TRUE AS is_settled
    FROM (SELECT o.* FROM executions o WHERE o.portal_id = $1 AND o.id = asked.id
          UNION ALL SELECT t.* FROM executions t WHERE t.portal_id = $1 AND t.retry_of = asked.id) AS r`;

/**
 * SQL: what the call said about the contact's sequences, under the name that {@link sequencesBefore} reads. HubSpot
 * leaves out properties without a value, so null replaces what is missing, unless the call had no properties at all.
 */
export const SEQUENCES_BEFORE = `jsonb_build_object('sequencesBefore', CASE WHEN e.request -> 'properties' = '{}' THEN '{}' ELSE (
  SELECT coalesce(jsonb_object_agg(name, e.request -> 'properties' -> name), '{}')
    FROM unnest('{${DOUBT_PROPERTIES.join(",")}}'::text[]) AS name WHERE jsonb_typeof(e.request -> 'properties') = 'object') END)`;

/**
 * SQL that creates one new execution for each contact that can still be helped, always a child of the first call; `$1`
 * is the portal, `$2` the chosen executions. It begins UNCERTAIN: HubSpot is read before anything is sent, and an
 * enrollment since the family's first attempt counts as done. None is created while another is open, or once one has
 * enrolled the contact; two admins at once create the same callback id, of which the table keeps one.
 *
 * It keeps what the family knows. It is in doubt since the last of the family was; if that time is not known for one
 * that may have been sent, since the first reading; if none was ever in doubt, the first reading is believed. The
 * sender of the request in doubt keeps the place in its daily cap, and is the sender if the request took effect. The
 * call's facts about the contact's sequences still show which enrollments are older. All other properties are dropped
 * and read again.
 *
 * The original is locked: a privacy deletion of its contact is either seen here, or waits and then finds the copy
 * (contact-fates.ts).
 *
 * @param eligible SQL of what can be retried.
 */
export const retryStatement = (eligible: string): string => `
  WITH asked AS (
    SELECT DISTINCT coalesce(retry_of, id) AS id FROM executions
     WHERE portal_id = $1 AND id = ANY($2::bigint[]) AND ${eligible}
  ), original AS (
    SELECT e.*, family.retry_count, family.first_attempt_at AS family_first_attempt_at, family.first_sent_at AS family_first_sent_at,
           family.doubted_at AS family_doubted_at, family.sender_user_id AS family_sender_user_id,
           family.sender_email AS family_sender_email, (e.request - 'properties') || ${SEQUENCES_BEFORE} AS kept_request
      FROM asked JOIN executions e ON e.portal_id = $1 AND e.id = asked.id
     CROSS JOIN LATERAL (${FAMILY}) AS family
     WHERE NOT family.is_settled AND e.contact_id <> '${ERASED_CONTACT}'
     ORDER BY e.id FOR SHARE OF e
  )
  INSERT INTO executions (
    portal_id, callback_id, kind, is_held, retry_of, state, deadline_at, hold_ends_at, contact_id, contact_email, workflow_id,
    sequence_id, request, first_attempt_at, first_sent_at, doubted_at, sender_user_id, sender_email, source, reference)
  SELECT portal_id, 'retry:' || id || ':' || retry_count + 1, kind, false, id, 'UNCERTAIN', now() + (deadline_at - accepted_at),
         now() + (hold_ends_at - accepted_at), contact_id, contact_email, workflow_id, sequence_id, kept_request,
         coalesce(family_first_attempt_at, now()), family_first_sent_at, family_doubted_at,
         family_sender_user_id, family_sender_email, 'retry', reference
    FROM original ORDER BY id
  ON CONFLICT (portal_id, callback_id) DO NOTHING`;
