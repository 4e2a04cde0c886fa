import type {
  ActionDefinition,
  EnrollRequest,
  ExecutionKind,
  WaitRequest,
} from "#domain/contract/execution.js";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { HOLD_DAYS, hoursToDeadline } from "#domain/contract/hold.js";
import type { StoredOutcome } from "#domain/contract/outcome.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";
import { tellOutcomes } from "#domain/subscriptions/tell.js";
import { callKey } from "./past-calls.js";

/** A verified call of an action, ready to be stored. */
export interface IncomingExecution {
  readonly portalId: PortalId;
  readonly kind: ExecutionKind;
  readonly callbackId: string;
  readonly contactId: string;
  readonly workflowId: string | undefined;
  readonly sequenceId: string | undefined;
  readonly request: Partial<EnrollRequest & WaitRequest>;
  /**
   * How many days our answer asks HubSpot to hold the contact, if the action's own wait decides that; by default
   * HOLD_DAYS.
   */
  readonly holdDays?: number;
  /** How many hours of that the action itself may wait; the time for its work begins after it. By default none. */
  readonly waitHours?: number;
  /** Not to be worked on before; by default at once. */
  readonly dueAt?: Date;
  /** HubSpot's number of the action that called, and its version. Not stored with the execution. */
  readonly definition?: ActionDefinition;
  /** Set if the call can be answered at once: it is stored as finished, for the record. */
  readonly answer?: Pick<
    StoredOutcome,
    "execution_state" | "enrollment_status" | "error_code" | "error_message"
  >;
}

/** Longer than any other statement holds a row, and short enough to store the rest in time without the row it holds. */
const PATIENCE_MS = 200;

/**
 * A call of the wait action has nothing to attempt: it begins in WATCHING. A call that conflicts with a row that
 * another session is changing or deleting waits for it, but not for long. A call whose execution was deleted is not
 * stored again (past-calls.ts): each looks up its own key (LATERAL, OFFSET), however many there are.
 *
 * @param told further CTEs over `stored`
 */
const INSERT = (told = ""): string => `
  WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '${PATIENCE_MS}ms', true)
  ), incoming AS (
    SELECT * FROM unnest(
      $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[],
      $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::timestamptz[], $15::float8[]
    ) WITH ORDINALITY AS row (
      portal_id, callback_id, contact_id, workflow_id, sequence_id, request, contact_email,
      execution_state, enrollment_status, error_code, error_message, kind, hold_days, due_at, deadline_hours, position)
  ), connected AS (
    SELECT incoming.*, past.is_past FROM incoming CROSS JOIN patience JOIN portals USING (portal_id)
      LEFT JOIN LATERAL (
        SELECT true AS is_past FROM past_calls
         WHERE past_calls.portal_id = incoming.portal_id AND past_calls.call_key = ${callKey("incoming")} OFFSET 0
      ) AS past ON true
     WHERE portals.status = 'CONNECTED'
  ), stored AS (
    INSERT INTO executions (
      portal_id, callback_id, kind, state, due_at, has_waited, deadline_at, hold_ends_at, contact_id, workflow_id, sequence_id, request,
      contact_email, execution_state, enrollment_status, error_code, error_message, decided_at, completed_at, source)
    SELECT portal_id, callback_id, kind,
           CASE WHEN execution_state IS NOT NULL THEN 'COMPLETED'
                WHEN kind = 'WAIT_FOR_SEQUENCE_END' THEN 'WATCHING' ELSE 'QUEUED' END,
           greatest(due_at, now()), coalesce(due_at > now(), false), now() + deadline_hours * interval '1 hour',
           now() + (hold_days * 24 - 1) * interval '1 hour', contact_id, workflow_id, sequence_id, request, contact_email,
           execution_state, enrollment_status, error_code, error_message,
           CASE WHEN execution_state IS NOT NULL THEN now() END, CASE WHEN execution_state IS NOT NULL THEN now() END,
           CASE WHEN request -> 'requestContext' ->> 'source' IN ('AGENTS', 'COPILOT') THEN 'agent' ELSE 'workflow' END
      FROM connected WHERE is_past IS NULL ORDER BY portal_id, callback_id
    ON CONFLICT (portal_id, callback_id) DO NOTHING
    RETURNING portal_id, callback_id, id, kind, enrollment_status
  )${told}
  SELECT incoming.position,
         connected.position IS NOT NULL AS is_connected,
         stored.callback_id IS NOT NULL AS is_stored
    FROM incoming
    LEFT JOIN connected USING (position)
    LEFT JOIN stored ON stored.portal_id = incoming.portal_id AND stored.callback_id = incoming.callback_id`;

/** A call that is answered at once is decided by the statement that stores it; hardly any call is. */
const STORE = { name: "accept-executions", text: INSERT() };
const STORE_AND_TELL = { name: "accept-decided-executions", text: INSERT(`, ${tellOutcomes("stored")}`) };

/** A call and its request as it is stored. */
export interface CallToStore {
  readonly execution: IncomingExecution;
  readonly requestJson: string;
}

/** The statement that stores a batch of calls: a row for each, with its `position` in the batch from 1. */
export function storing(
  batch: readonly CallToStore[],
  deadlineHours: number,
): { name: string; text: string; values: unknown[] } {
  const isOneDecided = batch.some(({ execution }) => execution.answer !== undefined);
  return { ...(isOneDecided ? STORE_AND_TELL : STORE), values: columns(batch, deadlineHours) };
}

function emailOf({ request }: IncomingExecution): string | null {
  const email = request.properties?.["email"];
  // Longer ones would not fit into the index by address.
  return email == null ? null : cutText(email, LONGEST_ADDRESS);
}

function columns(batch: readonly CallToStore[], deadlineHours: number): unknown[] {
  const rows = batch.map(({ execution }) => execution);
  const column = (value: (row: IncomingExecution) => unknown) => rows.map(value);
  return [
    column((row) => row.portalId),
    column((row) => row.callbackId),
    column((row) => row.contactId),
    column((row) => row.workflowId ?? null),
    column((row) => row.sequenceId ?? null),
    batch.map(({ requestJson }) => requestJson),
    column((row) => emailOf(row)),
    column((row) => row.answer?.execution_state ?? null),
    column((row) => row.answer?.enrollment_status ?? null),
    column((row) => row.answer?.error_code ?? null),
    column((row) => row.answer?.error_message ?? null),
    column((row) => row.kind),
    column((row) => row.holdDays ?? HOLD_DAYS),
    column((row) => row.dueAt ?? null),
    column(({ holdDays: days, waitHours }) => hoursToDeadline({ days, waitHours }, deadlineHours)),
  ];
}
