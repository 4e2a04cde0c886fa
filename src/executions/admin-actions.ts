import type { ClientBase } from "pg";
import { ERASED_CONTACT } from "./execution.js";
import { failed } from "./outcome.js";

/** What an admin can do to executions, one by one or by filter. */
export const ADMIN_ACTIONS = ["CANCEL", "RETRY", "TRY_NOW"] as const;
export type AdminAction = (typeof ADMIN_ACTIONS)[number];

/**
 * No owner is at work on it. An owner claims by moving the state (QUEUED) or by naming its epoch (the other two), so these
 * conditions, asked again under the row's lock, fence an admin's move from an owner's.
 */
const AT_REST = `(state = 'QUEUED' OR (state IN ('UNCERTAIN', 'WATCHING') AND epoch IS NULL))`;

/** Executions each action applies to, in SQL on the columns of `executions`. */
export const ELIGIBLE: Readonly<Record<AdminAction, string>> = {
  CANCEL: AT_REST,
  /** Finished, not enrolled, and with an input that another try can use. */
  RETRY: `(kind = 'ENROLL' AND state IN ('COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED')
    AND enrollment_status IN ('FAILED', 'SKIPPED', 'ALREADY_ENROLLED') AND error_code IS DISTINCT FROM 'INVALID_INPUT'
    AND sequence_id IS NOT NULL AND request ? 'senderMode' AND contact_id <> '${ERASED_CONTACT}')`,
  TRY_NOW: `(due_at > now() AND (${AT_REST} OR state = 'DECIDED'))`,
};

interface Chosen {
  readonly portalId: bigint;
  readonly ids: readonly bigint[];
}

const LOST_ANSWER =
  "HubSpot's answer to the last attempt was lost, so the contact may be enrolled all the same: look at it in HubSpot.";

/** The chosen ones that the action still applies to, locked by id, as all do who lock several. */
const chosen = (action: AdminAction): string => `id = ANY (ARRAY(
  SELECT id FROM executions WHERE portal_id = $1 AND id = ANY ($2::bigint[]) AND ${ELIGIBLE[action]} ORDER BY id FOR UPDATE))`;

/** Decides what is at rest as CANCELLED; the completion follows like any other. */
const CANCEL = `
  UPDATE executions
     SET state = 'DECIDED', due_at = now(), decided_at = now(), execution_state = 'FAIL_CONTINUE', outputs = NULL,
         enrollment_status = CASE WHEN kind = 'ENROLL' THEN 'FAILED' END, error_code = 'CANCELLED',
         error_message = CASE WHEN state = 'UNCERTAIN' AND kind = 'ENROLL' THEN $3 || ' ' || $4 ELSE $3 END
   WHERE portal_id = $1 AND ${chosen("CANCEL")} AND ${ELIGIBLE.CANCEL}`;

/**
 * Makes what waits due. A date the step asked to wait for is set aside with it, or the attempt would only put the
 * execution back until then; it is kept under another name, for the record.
 */
const TRY_NOW = `
  UPDATE executions
     SET due_at = now(),
         request = CASE WHEN state <> 'DECIDED' AND request ? 'notBefore'
                        THEN (request - 'notBefore') || jsonb_build_object('waivedNotBefore', request -> 'notBefore')
                        ELSE request END
   WHERE portal_id = $1 AND ${chosen("TRY_NOW")} AND ${ELIGIBLE.TRY_NOW}`;

/** SQL: HubSpot's time of the row's first request is noted, or there was none. */
const KNOWS_FIRST_SENT = (row: string): string =>
  `(${row}.first_attempt_at IS NULL OR ${row}.first_sent_at IS NOT NULL)`;

/** SQL: the row was decided without HubSpot's word on a request that may have been sent, and since when is not known. */
const IS_DOUBT_UNKNOWN = (row: string): string =>
  `(${row}.doubted_at IS NULL AND ${row}.sender_user_id IS NOT NULL
    AND coalesce(${row}.error_code IN ('DEADLINE_EXCEEDED', 'HUBSPOT_UNAVAILABLE', 'CANCELLED'), false))`;

/**
 * Makes one new execution for each contact that can still be helped, always a child of the call HubSpot made. It begins
 * UNCERTAIN: HubSpot is read before anything is sent, and an enrollment since the first attempt of the whole family
 * counts as done. It is in doubt since the last of the family was: where that is not known of one that may have been sent,
 * since the first reading; where none ever was, what is read is believed at once. None is made while another is open, or
 * once one has enrolled the contact; two admins at once make the same callback id, of which the table keeps one. The
 * original is locked, so that a privacy deletion of its contact is either seen here or waits, and then finds the copy
 * (executions/contact-fates.ts). The contact's properties are left behind, so that they are read afresh.
 */
const RETRY = `
  WITH asked AS (
    SELECT DISTINCT coalesce(retry_of, id) AS id FROM executions
     WHERE portal_id = $1 AND id = ANY($2::bigint[]) AND ${ELIGIBLE.RETRY}
  ), original AS (
    SELECT e.*, retries.count, least(e.first_attempt_at, retries.begun_at) AS begun_at,
           CASE WHEN ${KNOWS_FIRST_SENT("e")} AND coalesce(retries.knows_first_sent, true)
                THEN least(e.first_sent_at, retries.first_sent_at) END AS family_first_sent_at,
           CASE WHEN NOT (${IS_DOUBT_UNKNOWN("e")} OR coalesce(retries.is_doubt_unknown, false))
                THEN coalesce(greatest(e.doubted_at, retries.doubted_at), 'epoch') END AS family_doubted_at
      FROM asked JOIN executions e ON e.portal_id = $1 AND e.id = asked.id
     CROSS JOIN LATERAL (
       SELECT count(*) AS count, min(r.first_attempt_at) AS begun_at, min(r.first_sent_at) AS first_sent_at,
              max(r.doubted_at) AS doubted_at, bool_and(${KNOWS_FIRST_SENT("r")}) AS knows_first_sent,
              bool_or(${IS_DOUBT_UNKNOWN("r")}) AS is_doubt_unknown,
              coalesce(bool_or(r.decided_at IS NULL OR r.enrollment_status = 'ENROLLED'), false) AS is_settled
         FROM executions r WHERE r.portal_id = $1 AND r.retry_of = e.id
     ) AS retries
     WHERE NOT retries.is_settled AND e.enrollment_status <> 'ENROLLED' AND e.contact_id <> '${ERASED_CONTACT}'
     ORDER BY e.id FOR SHARE OF e
  )
  INSERT INTO executions (
    portal_id, callback_id, kind, is_held, retry_of, state, deadline_at, hold_ends_at, contact_id, contact_email, workflow_id,
    sequence_id, request, first_attempt_at, first_sent_at, doubted_at)
  SELECT portal_id, 'retry:' || id || ':' || count + 1, kind, false, id, 'UNCERTAIN', now() + (deadline_at - accepted_at),
         now() + (hold_ends_at - accepted_at), contact_id, contact_email, workflow_id, sequence_id, request - 'properties',
         coalesce(begun_at, now()), family_first_sent_at, family_doubted_at
    FROM original ORDER BY id
  ON CONFLICT (portal_id, callback_id) DO NOTHING`;

/**
 * Carries out an action on those of the executions it applies to.
 *
 * @returns how many it was done to; the rest had moved on, or an owner was at work on them.
 */
export async function applyAction(
  client: ClientBase,
  action: AdminAction,
  { portalId, ids }: Chosen,
): Promise<number> {
  const given = [portalId, ids];
  const { errorMessage } = failed("CANCELLED");
  const statements: Readonly<Record<AdminAction, [text: string, values: unknown[]]>> = {
    CANCEL: [CANCEL, [...given, errorMessage, LOST_ANSWER]],
    RETRY: [RETRY, given],
    TRY_NOW: [TRY_NOW, given],
  };
  const [text, values] = statements[action];
  return (await client.query(text, values)).rowCount ?? 0;
}
