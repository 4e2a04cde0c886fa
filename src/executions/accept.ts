import { DatabaseError, type Pool } from "pg";
import type { EnrollRequest, ExecutionKind, WaitRequest } from "./execution.js";
import { HOLD_DAYS } from "./hold.js";
import type { StoredOutcome } from "./outcome.js";
import { cutText } from "../storable-text.js";
import { createWaitingRoom, sizeOf, type WaitingLimits } from "./waiting-room.js";

/** A verified call of an action, ready to be stored. */
export interface IncomingExecution {
  readonly portalId: bigint;
  readonly kind: ExecutionKind;
  readonly callbackId: string;
  readonly contactId: string;
  readonly workflowId: string | undefined;
  readonly sequenceId: string | undefined;
  readonly request: Partial<EnrollRequest & WaitRequest>;
  /** How long our answer asks HubSpot to hold the contact, where the action's own wait decides that; by default HOLD_DAYS. */
  readonly holdDays?: number;
  /** What the action itself may wait of that, in hours; the time for its work begins after it. By default nothing. */
  readonly waitHours?: number;
  /** Not to be worked on before; by default at once. */
  readonly dueAt?: Date;
  /** Set where the call can be answered at once: it is stored as finished, for the record. */
  readonly answer?: Pick<
    StoredOutcome,
    "execution_state" | "enrollment_status" | "error_code" | "error_message"
  >;
}

/** What became of a call. Each is final for the caller: what is `stored` or a `duplicate` survives any crash. */
export type AcceptResult =
  | "stored"
  | "duplicate"
  | "not_connected"
  /** Nothing was kept: too much is waiting to be stored, of this portal or of all. */
  | "overloaded";

export interface AcceptOptions {
  pool: Pool;
  /** Hours after which an unfinished execution is given up. */
  deadlineHours: number;
  /** Told after the commit that a portal has new work. Must not throw. */
  onStored: (portalId: bigint) => void;
  /** What may wait in memory for its commit; by default 64 Mi characters in all and 16 Mi of one portal. */
  limits?: WaitingLimits;
}

/** Rows per shared commit: large enough for a burst, small enough to answer within milliseconds. */
const MAX_ROWS = 500;

/**
 * A commit that takes longer is given up with its connection: its callers were told 503 long before (actions/answer-time.ts),
 * and those who came after it must not wait for a server that is never heard of again.
 */
const COMMIT_TIMEOUT = { query_timeout: 3_000 };

/** A call of the wait action has nothing to attempt: it begins in WATCHING. */
const INSERT = `
  WITH incoming AS (
    SELECT * FROM unnest(
      $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::text[],
      $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::timestamptz[], $15::float8[]
    ) WITH ORDINALITY AS row (
      portal_id, callback_id, contact_id, workflow_id, sequence_id, request, contact_email,
      execution_state, enrollment_status, error_code, error_message, kind, hold_days, due_at, deadline_hours, position)
  ), connected AS (
    SELECT incoming.* FROM incoming JOIN portals USING (portal_id) WHERE portals.status = 'CONNECTED'
  ), stored AS (
    INSERT INTO executions (
      portal_id, callback_id, kind, state, due_at, has_waited, deadline_at, hold_ends_at, contact_id, workflow_id, sequence_id, request,
      contact_email, execution_state, enrollment_status, error_code, error_message, decided_at, completed_at)
    SELECT portal_id, callback_id, kind,
           CASE WHEN execution_state IS NOT NULL THEN 'COMPLETED'
                WHEN kind = 'WAIT_FOR_SEQUENCE_END' THEN 'WATCHING' ELSE 'QUEUED' END,
           greatest(due_at, now()), coalesce(due_at > now(), false), now() + deadline_hours * interval '1 hour',
           now() + (hold_days * 24 - 1) * interval '1 hour', contact_id, workflow_id, sequence_id, request, contact_email,
           execution_state, enrollment_status, error_code, error_message,
           CASE WHEN execution_state IS NOT NULL THEN now() END, CASE WHEN execution_state IS NOT NULL THEN now() END
      FROM connected ORDER BY portal_id, callback_id
    ON CONFLICT (portal_id, callback_id) DO NOTHING
    RETURNING portal_id, callback_id
  )
  SELECT incoming.position,
         connected.position IS NOT NULL AS is_connected,
         stored.callback_id IS NOT NULL AS is_stored
    FROM incoming
    LEFT JOIN connected USING (position)
    LEFT JOIN stored ON stored.portal_id = incoming.portal_id AND stored.callback_id = incoming.callback_id`;

/**
 * A redelivered call whose completion HubSpot had refused (it did not hold the callback then) is owed it again: HubSpot
 * will hold it now, because we answer BLOCK to this delivery too. The same where it counts as completed because the answer
 * to it was lost and HubSpot then refused it, and where that refusal is still on its way, or yet to
 * come: what is owed since a moment ago is not refused for good (completions.ts). Locked by id, as everywhere: two processes
 * that are told the same calls again in another order must not wait for each other.
 */
const REOPEN = `
  WITH repeated AS (
    SELECT portal_id, id FROM executions
     WHERE (portal_id, callback_id) IN (SELECT * FROM unnest($1::bigint[], $2::text[]))
       AND (state IN ('DECIDED', 'COMPLETION_REFUSED') OR (state = 'COMPLETED' AND completion_doubted_at IS NOT NULL))
     ORDER BY portal_id, id FOR UPDATE
  )
  UPDATE executions e
     SET state = 'DECIDED', decided_at = now(), completed_at = NULL, due_at = CASE WHEN e.state = 'DECIDED' THEN e.due_at ELSE now() END
    FROM repeated WHERE e.portal_id = repeated.portal_id AND e.id = repeated.id`;

/**
 * Which of the calls of portals that are not connected were stored while they still were. A statement of its own: calls
 * of connected portals, which are nearly all, pay nothing for it.
 */
const FIND_STORED = `
  SELECT call.position FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS call (portal_id, callback_id, position)
    JOIN executions USING (portal_id, callback_id)`;

/** Classes of SQLSTATE that name what is in a row: data exceptions, broken constraints, limits of an index. */
const ROW_REFUSALS = /^(?:22|23|54)/;

function isRefusalOfRow(fault: unknown): boolean {
  return fault instanceof DatabaseError && ROW_REFUSALS.test(fault.code ?? "");
}

interface Waiting {
  readonly execution: IncomingExecution;
  readonly requestJson: string;
  readonly resolve: (result: AcceptResult) => void;
  readonly reject: (fault: unknown) => void;
}

/** Between the deadline and the end of the hold, for the completion: a day, or less where the ordinary hold has less. */
const SPARE_HOURS = 24;

/** Hours from the acceptance to the deadline: after the action's own wait, and before HubSpot lets go of the contact. */
function deadlineOf(
  { holdDays = HOLD_DAYS, waitHours = 0 }: IncomingExecution,
  deadlineHours: number,
): number {
  const spareHours = Math.min(SPARE_HOURS, HOLD_DAYS * 24 - deadlineHours);
  return Math.min(waitHours + deadlineHours, holdDays * 24 - spareHours);
}

/** Characters, more than any address has (RFC 5321): longer ones would not fit into the index by address. */
const MAX_EMAIL = 320;

function emailOf({ request }: IncomingExecution): string | null {
  const email = request.properties?.["email"];
  return email == null ? null : cutText(email, MAX_EMAIL);
}

function columns(batch: readonly Waiting[], deadlineHours: number): unknown[] {
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
    column((row) => deadlineOf(row, deadlineHours)),
  ];
}

function callIds(calls: readonly IncomingExecution[]): unknown[] {
  return [calls.map(({ portalId }) => portalId), calls.map(({ callbackId }) => callbackId)];
}

/**
 * Stores accepted calls with shared commits: calls that arrive while a commit is under way join the next one. A call is
 * acknowledged only after its own row is committed.
 *
 * @returns a function that resolves once the call's fate is durable, and rejects with the database's fault otherwise.
 */
export function createAcceptor(
  options: AcceptOptions,
): (execution: IncomingExecution) => Promise<AcceptResult> {
  const room = createWaitingRoom(options.limits);
  let waiting: Waiting[] = [];
  let isWriting = false;

  async function store(batch: readonly Waiting[]): Promise<void> {
    const { rows } = await options.pool.query<{
      position: string;
      is_connected: boolean;
      is_stored: boolean;
    }>({
      ...COMMIT_TIMEOUT,
      name: "accept-executions",
      text: INSERT,
      values: columns(batch, options.deadlineHours),
    });
    const results = new Map(rows.map((row) => [Number(row.position) - 1, row]));
    const settled = batch.map((_, index): AcceptResult => {
      const row = results.get(index);
      if (row === undefined || !row.is_connected) return "not_connected";
      return row.is_stored ? "stored" : "duplicate";
    });
    const executionsThat = (became: AcceptResult) =>
      batch.filter((_, index) => settled[index] === became).map(({ execution }) => execution);
    const unconnected = executionsThat("not_connected");
    if (unconnected.length > 0) {
      const known = await findStored(unconnected);
      batch.forEach(({ execution }, index) => known.has(execution) && (settled[index] = "duplicate"));
    }
    const duplicates = executionsThat("duplicate");
    if (duplicates.length > 0) await reopen(duplicates);
    const woken = new Set(
      batch
        .filter((_, index) => settled[index] !== "not_connected")
        .map(({ execution }) => execution.portalId),
    );
    batch.forEach(({ resolve }, index) => {
      resolve(settled[index] as AcceptResult);
    });
    woken.forEach(options.onStored);
  }

  async function findStored(
    calls: readonly IncomingExecution[],
  ): Promise<Set<IncomingExecution | undefined>> {
    const { rows } = await options.pool.query<{ position: string }>({
      ...COMMIT_TIMEOUT,
      name: "find-stored-calls",
      text: FIND_STORED,
      values: callIds(calls),
    });
    return new Set(rows.map(({ position }) => calls[Number(position) - 1]));
  }

  async function reopen(duplicates: readonly IncomingExecution[]): Promise<void> {
    await options.pool.query({
      ...COMMIT_TIMEOUT,
      name: "reopen-refused-completions",
      text: REOPEN,
      values: callIds(duplicates),
    });
  }

  /** What the database refuses for a row of it is halved until that row stands alone: the others are stored. */
  async function storeApart(batch: readonly Waiting[]): Promise<void> {
    try {
      await store(batch);
    } catch (fault) {
      if (batch.length > 1 && isRefusalOfRow(fault)) {
        const middle = Math.ceil(batch.length / 2);
        await storeApart(batch.slice(0, middle));
        await storeApart(batch.slice(middle));
        return;
      }
      batch.forEach(({ reject }) => {
        reject(fault);
      });
    }
  }

  async function writeAll(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_ROWS);
      waiting = waiting.slice(MAX_ROWS);
      const leave = (): void => {
        batch.forEach((entry) => {
          room.leave(entry.execution.portalId, sizeOf(entry.requestJson));
        });
      };
      await storeApart(batch);
      leave();
    }
    isWriting = false;
  }

  return (execution) =>
    new Promise((resolve, reject) => {
      const requestJson = JSON.stringify(execution.request);
      if (!room.enter(execution.portalId, sizeOf(requestJson))) {
        resolve("overloaded");
        return;
      }
      waiting.push({ execution, requestJson, resolve, reject });
      // One turn of the event loop: calls parsed in the same turn share the commit even when nothing was under way.
      if (!isWriting) setImmediate(() => void writeAll());
    });
}
