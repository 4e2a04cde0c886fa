import type { ClientBase } from "pg";
import { ERASED_CONTACT, type Moves } from "#domain/contract/execution.js";
import { IS_IN_DOUBT, LOST_ANSWER } from "#domain/executions/endings/in-doubt.js";
import { leftInNone } from "#domain/executions/endings/left-in-none.js";
import { failed } from "#domain/contract/outcome.js";
import { retryStatement } from "#domain/executions/retry.js";
import { tellOutcomes, TOLD_COLUMNS } from "#domain/subscriptions/tell.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/** What an admin can do to executions, one at a time or by filter. */
export const ADMIN_ACTIONS = ["CANCEL", "RETRY", "TRY_NOW"] as const;
export type AdminAction = (typeof ADMIN_ACTIONS)[number];

/** The same, in the words that the audit uses for what was done. */
export const AUDIT_ACTIONS: Readonly<Record<AdminAction, string>> = {
  CANCEL: "CANCELLED",
  RETRY: "RETRIED",
  TRY_NOW: "TRIED_NOW",
};

/**
 * No owner is working on it. An owner claims by moving the state (QUEUED) or by naming its epoch (the other two), so
 * checking these conditions again under the row's lock separates an admin's move from an owner's.
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
  readonly portalId: PortalId;
  readonly ids: readonly ExecutionId[];
}

/**
 * The chosen executions that the action still applies to, locked in order of ids, as every statement that locks several
 * does.
 */
const chosen = (action: AdminAction): string => `id = ANY (ARRAY(
  SELECT id FROM executions WHERE portal_id = $1 AND id = ANY ($2::bigint[]) AND ${ELIGIBLE[action]} ORDER BY id FOR UPDATE))`;

export const CANCEL_MOVES = {
  QUEUED: ["DECIDED"],
  UNCERTAIN: ["DECIDED"],
  WATCHING: ["DECIDED"],
} as const satisfies Moves;

const CANCELED = leftInNone({
  status: "'FAILED'",
  code: "'CANCELLED'",
  message: `CASE WHEN ${IS_IN_DOUBT()} THEN $3 || ' ' || $4 ELSE $3 END`,
});

/**
 * Decides idle executions as CANCELLED; the completion follows like any other. An execution that was not sent loses its
 * sender: the one in the row was only waited for.
 */
const CANCEL = `
  WITH canceled AS (
  UPDATE executions e
     SET state = 'DECIDED', due_at = now(), decided_at = now(), execution_state = 'FAIL_CONTINUE', outputs = NULL,
         enrollment_status = CASE WHEN kind = 'ENROLL' THEN 'FAILED' END, error_code = ${CANCELED.code},
         error_message = ${CANCELED.message},
         ended_in_doubt = ${IS_IN_DOUBT()},
         sender_user_id = CASE WHEN ${IS_IN_DOUBT()} THEN sender_user_id END,
         sender_email = CASE WHEN ${IS_IN_DOUBT()} THEN sender_email END
   WHERE portal_id = $1 AND ${chosen("CANCEL")} AND ${ELIGIBLE.CANCEL}
  RETURNING ${TOLD_COLUMNS}
  ), ${tellOutcomes("canceled")}
  SELECT id FROM canceled`;

/**
 * Makes waiting executions due. A date that the step set is removed as well, or the attempt would only postpone the
 * execution until then; it is kept under another name, for the record.
 */
const TRY_NOW = `
  UPDATE executions
     SET due_at = now(),
         request = CASE WHEN state <> 'DECIDED' AND request ? 'notBefore'
                        THEN (request - 'notBefore') || jsonb_build_object('waivedNotBefore', request -> 'notBefore')
                        ELSE request END
   WHERE portal_id = $1 AND ${chosen("TRY_NOW")} AND ${ELIGIBLE.TRY_NOW}`;

/**
 * Carries out an action on the executions it applies to.
 *
 * @returns how many were changed; the rest had moved on, or an owner was working on them.
 */
// eslint-disable-next-line house/audited-verbs -- a part of actOnExecution, and of a bulk job
export async function applyAction(
  client: ClientBase,
  action: AdminAction,
  { portalId, ids }: Chosen,
): Promise<number> {
  const given = [portalId, ids];
  const { errorMessage } = failed("CANCELLED");
  const statements: Readonly<Record<AdminAction, [text: string, values: unknown[]]>> = {
    CANCEL: [CANCEL, [...given, errorMessage, LOST_ANSWER]],
    RETRY: [retryStatement(ELIGIBLE.RETRY), given],
    TRY_NOW: [TRY_NOW, given],
  };
  const [text, values] = statements[action];
  return (await client.query(text, values)).rowCount ?? 0;
}
