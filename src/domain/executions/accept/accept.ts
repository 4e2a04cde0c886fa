import { DatabaseError, type Pool } from "pg";
import { isLockTimeout } from "#platform/db/lock-timeout.js";
import { COMMIT_TIMEOUT, ExecutionHeld, findStored, reopenCompletions } from "./repeated-calls.js";
import { storing, type CallToStore, type IncomingExecution } from "./store-calls.js";
import { createWaitingCalls, sizeOf, type WaitingLimits } from "../waiting-calls.js";

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

/** SQLSTATE classes caused by the data in a row: data exceptions, violated constraints, limits of an index. */
const ROW_REFUSALS = /^(?:22|23|54)/;

function isRefusalOfRow(fault: unknown): boolean {
  return fault instanceof DatabaseError && ROW_REFUSALS.test(fault.code ?? "");
}

interface Waiting extends CallToStore {
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
      ...storing(batch, options.deadlineHours),
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
