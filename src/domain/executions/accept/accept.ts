import { DatabaseError, type Pool } from "pg";
import { isLockTimeout } from "#platform/db/lock-timeout.js";
import type {
  ActionDefinition,
  EnrollRequest,
  ExecutionKind,
  WaitRequest,
} from "#domain/contract/execution.js";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { HOLD_DAYS, hoursToDeadline } from "#domain/contract/hold.js";
import type { StoredOutcome } from "#domain/contract/outcome.js";
import { callKey } from "./past-calls.js";
import { COMMIT_TIMEOUT, ExecutionHeld, findStored, reopenCompletions } from "./repeated-calls.js";
import { cutText } from "#platform/text/storable-text.js";
import { tellOutcomes } from "#domain/subscriptions/tell.js";
import { createWaitingCalls, sizeOf, type WaitingLimits } from "../waiting-calls.js";

/** A verified call of an action, ready to be stored. */
export interface IncomingExecution {
  readonly portalId: bigint;
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

/** The result of a call, final for the caller: what is `stored` or a `duplicate` survives any crash. */
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
  /** Called after the commit when a portal has new work. Must not throw. */
  onStored: (portalId: bigint) => void;
  /** How much may wait in memory for its commit; by default 64 Mi characters in all and 16 Mi for one portal. */
  limits?: WaitingLimits;
}

/** Rows per shared commit: large enough for a burst, small enough to answer within milliseconds. */
const MAX_ROWS = 500;

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

/** A call that is answered at once is decided by the statement that stores it. Hardly any is. */
const STORE = { name: "accept-executions", text: INSERT() };
const STORE_AND_TELL = { name: "accept-decided-executions", text: INSERT(`, ${tellOutcomes("stored")}`) };

/** SQLSTATE classes caused by the data in a row: data exceptions, violated constraints, limits of an index. */
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

/**
 * How soon and how often to retry the row of a repeated call that another session holds: all within our answer time.
 */
const HELD_AGAIN_MS = 100;
const HELD_TRIES = 5;

function executionsOf(batch: readonly Waiting[]): IncomingExecution[] {
  return batch.map(({ execution }) => execution);
}

function rejectAll(batch: readonly Waiting[], fault: unknown): void {
  batch.forEach(({ reject }) => {
    reject(fault);
  });
}

function emailOf({ request }: IncomingExecution): string | null {
  const email = request.properties?.["email"];
  // Longer ones would not fit into the index by address.
  return email == null ? null : cutText(email, LONGEST_ADDRESS);
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
    column(({ holdDays: days, waitHours }) => hoursToDeadline({ days, waitHours }, deadlineHours)),
  ];
}

/**
 * Stores accepted calls with shared commits: calls that arrive while a commit is under way join the next one. A call is
 * acknowledged only after its own row is committed.
 *
 * @returns a function that resolves once the call's result is durable, and otherwise rejects with the database's fault.
 */
export function createAcceptor(
  options: AcceptOptions,
): (execution: IncomingExecution) => Promise<AcceptResult> {
  const waitingCalls = createWaitingCalls(options.limits);
  let waiting: Waiting[] = [];
  let isWriting = false;

  async function insert(batch: readonly Waiting[]): Promise<AcceptResult[]> {
    const { rows } = await options.pool.query<{
      position: string;
      is_connected: boolean;
      is_stored: boolean;
    }>({
      ...COMMIT_TIMEOUT,
      ...(batch.some(({ execution }) => execution.answer !== undefined) ? STORE_AND_TELL : STORE),
      values: columns(batch, options.deadlineHours),
    });
    const results = new Map(rows.map((row) => [Number(row.position) - 1, row]));
    const settled = batch.map((_, index): AcceptResult => {
      const row = results.get(index);
      if (row === undefined || !row.is_connected) return "not_connected";
      return row.is_stored ? "stored" : "duplicate";
    });
    const unconnected = executionsOf(batch.filter((_, index) => settled[index] === "not_connected"));
    if (unconnected.length === 0) return settled;
    const known = await findStored(options.pool, unconnected);
    return settled.map((became, index) =>
      known.has((batch[index] as Waiting).execution) ? "duplicate" : became,
    );
  }

  /**
   * Answers each call except those whose row another session holds: they come later, and the others do not wait for
   * them.
   */
  async function settle(
    batch: readonly Waiting[],
    results: readonly AcceptResult[],
    triesLeft = HELD_TRIES,
  ): Promise<void> {
    const duplicates = executionsOf(batch.filter((_, index) => results[index] === "duplicate"));
    const held =
      duplicates.length > 0
        ? await reopenCompletions(options.pool, duplicates)
        : new Set<IncomingExecution>();
    const woken = new Set<bigint>();
    batch.forEach(({ execution, resolve }, index) => {
      if (held.has(execution)) return;
      const result = results[index] as AcceptResult;
      resolve(result);
      if (result !== "not_connected") woken.add(execution.portalId);
    });
    woken.forEach(options.onStored);
    if (held.size === 0) return;
    settleLater(
      batch.filter(({ execution }) => held.has(execution)),
      triesLeft - 1,
    );
  }

  function settleLater(held: readonly Waiting[], triesLeft: number): void {
    if (triesLeft === 0) {
      rejectAll(held, new ExecutionHeld("another session holds the execution of a call that came again"));
      return;
    }
    const again = async (): Promise<void> => {
      try {
        await settle(
          held,
          held.map(() => "duplicate"),
          triesLeft,
        );
      } catch (error) {
        rejectAll(held, error);
      }
    };
    setTimeout(() => void again(), HELD_AGAIN_MS);
  }

  /** Stores a batch, or as much of it as can be stored, and answers every call. Never rejects. */
  async function store(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await settle(batch, await insert(batch));
    } catch (error) {
      try {
        await storeParts(batch, error);
      } catch (error) {
        rejectAll(batch, error);
      }
    }
  }

  /**
   * A batch that the database refuses because of one row is halved until that row is alone, so that the others are
   * stored. If a conflict with a row that another session holds lasted too long, calls that are already stored need no
   * row of their own.
   *
   * @throws `fault` if no part can be stored without the rest.
   */
  async function storeParts(batch: readonly Waiting[], fault: unknown): Promise<void> {
    const isHeld = isLockTimeout(fault);
    const stored = isHeld
      ? await findStored(options.pool, executionsOf(batch))
      : new Set<IncomingExecution>();
    const known = batch.filter(({ execution }) => stored.has(execution));
    if (known.length > 0) {
      await store(batch.filter(({ execution }) => !stored.has(execution)));
      await settle(
        known,
        known.map(() => "duplicate"),
      );
      return;
    }
    if (batch.length === 1 || !(isHeld || isRefusalOfRow(fault))) throw fault;
    const middle = Math.ceil(batch.length / 2);
    await store(batch.slice(0, middle));
    await store(batch.slice(middle));
  }

  async function writeAll(): Promise<void> {
    if (isWriting) return;
    isWriting = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_ROWS);
      waiting = waiting.slice(MAX_ROWS);
      await store(batch);
    }
    isWriting = false;
  }

  return async (execution) => {
    const requestJson = JSON.stringify(execution.request);
    const size = sizeOf(requestJson);
    if (!waitingCalls.add(execution.portalId, size)) return "overloaded";
    try {
      return await new Promise((resolve, reject) => {
        waiting.push({ execution, requestJson, resolve, reject });
        // One turn of the event loop: calls parsed in the same turn share the commit even when nothing was under way.
        if (!isWriting) setImmediate(() => void writeAll());
      });
    } finally {
      waitingCalls.remove(execution.portalId, size);
    }
  };
}
