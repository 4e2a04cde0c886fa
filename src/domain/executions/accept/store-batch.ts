import { DatabaseError, type Pool } from "pg";
import { isLockTimeout } from "#platform/db/lock-timeout.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { COMMIT_TIMEOUT, ExecutionHeld, findStored, reopenCompletions } from "./repeated-calls.js";
import { storing, type CallToStore, type IncomingExecution } from "./store-calls.js";

/** The result of trying to store a call, final for the caller: it survives any crash. */
export type StoreResult = "stored" | "duplicate" | "not_connected";

/** A call, and who waits for its result. */
export interface WaitingCall extends CallToStore {
  readonly resolve: (result: StoreResult) => void;
  readonly reject: (fault: unknown) => void;
}

export interface StoreBatchOptions {
  pool: Pool;
  /** Hours after which an unfinished execution is given up. */
  deadlineHours: number;
  /** Called after the commit when a portal has new work. Must not throw. */
  onStored: (portalId: PortalId) => void;
}

/** SQLSTATE classes caused by the data in a row: data exceptions, violated constraints, limits of an index. */
const ROW_REFUSALS = /^(?:22|23|54)/;

/**
 * How soon and how often to retry the row of a repeated call that another session holds: all within our answer time.
 */
const HELD_AGAIN_MS = 100;
const HELD_TRIES = 5;

/** Stores a batch of calls, or as much of it as can be stored, and answers every call. Never rejects. */
export async function storeBatch(options: StoreBatchOptions, batch: readonly WaitingCall[]): Promise<void> {
  if (batch.length === 0) return;
  try {
    await settle(options, batch, { results: await insert(options, batch) });
  } catch (error) {
    try {
      await storeParts(options, batch, error);
    } catch (error) {
      rejectAll(batch, error);
    }
  }
}

async function insert(
  { pool, deadlineHours }: StoreBatchOptions,
  batch: readonly WaitingCall[],
): Promise<StoreResult[]> {
  const { rows } = await pool.query<{ position: string; is_connected: boolean; is_stored: boolean }>({
    ...COMMIT_TIMEOUT,
    ...storing(batch, deadlineHours),
  });
  const results = new Map(rows.map((row) => [Number(row.position) - 1, row]));
  const settled = batch.map((_, index): StoreResult => {
    const row = results.get(index);
    if (row === undefined || !row.is_connected) return "not_connected";
    return row.is_stored ? "stored" : "duplicate";
  });
  const unconnected = executionsOf(batch.filter((_, index) => settled[index] === "not_connected"));
  if (unconnected.length === 0) return settled;
  const known = await findStored(pool, unconnected);
  return settled.map((became, index) =>
    known.has((batch[index] as WaitingCall).execution) ? "duplicate" : became,
  );
}

/**
 * Answers each call except those whose row another session holds: they come later, and the others do not wait for
 * them.
 */
async function settle(
  options: StoreBatchOptions,
  batch: readonly WaitingCall[],
  { results, triesLeft = HELD_TRIES }: { results: readonly StoreResult[]; triesLeft?: number },
): Promise<void> {
  const duplicates = executionsOf(batch.filter((_, index) => results[index] === "duplicate"));
  const held =
    duplicates.length > 0 ? await reopenCompletions(options.pool, duplicates) : new Set<IncomingExecution>();
  const woken = new Set<PortalId>();
  batch.forEach(({ execution, resolve }, index) => {
    if (held.has(execution)) return;
    const result = results[index] as StoreResult;
    resolve(result);
    if (result !== "not_connected") woken.add(execution.portalId);
  });
  woken.forEach(options.onStored);
  if (held.size === 0) return;
  settleLater(
    options,
    batch.filter(({ execution }) => held.has(execution)),
    triesLeft - 1,
  );
}

function settleLater(options: StoreBatchOptions, held: readonly WaitingCall[], triesLeft: number): void {
  if (triesLeft === 0) {
    rejectAll(held, new ExecutionHeld("another session holds the execution of a call that came again"));
    return;
  }
  setTimeout(() => {
    settle(options, held, { results: duplicatesOf(held), triesLeft }).catch((error: unknown) => {
      rejectAll(held, error);
    });
  }, HELD_AGAIN_MS);
}

/**
 * A batch that the database refuses because of one row is halved until that row is alone, so that the others are
 * stored. If a conflict with a row that another session holds lasted too long, calls that are already stored need no
 * row of their own.
 *
 * @throws `fault` if no part can be stored without the rest.
 */
async function storeParts(
  options: StoreBatchOptions,
  batch: readonly WaitingCall[],
  fault: unknown,
): Promise<void> {
  const isHeld = isLockTimeout(fault);
  const stored = isHeld ? await findStored(options.pool, executionsOf(batch)) : new Set<IncomingExecution>();
  const known = batch.filter(({ execution }) => stored.has(execution));
  if (known.length > 0) {
    await storeBatch(
      options,
      batch.filter(({ execution }) => !stored.has(execution)),
    );
    await settle(options, known, { results: duplicatesOf(known) });
    return;
  }
  if (batch.length === 1 || !(isHeld || isRefusalOfRow(fault))) throw fault;
  const middle = Math.ceil(batch.length / 2);
  await storeBatch(options, batch.slice(0, middle));
  await storeBatch(options, batch.slice(middle));
}

function isRefusalOfRow(fault: unknown): boolean {
  return fault instanceof DatabaseError && ROW_REFUSALS.test(fault.code ?? "");
}

function executionsOf(batch: readonly WaitingCall[]): IncomingExecution[] {
  return batch.map(({ execution }) => execution);
}

function duplicatesOf(batch: readonly WaitingCall[]): StoreResult[] {
  return batch.map(() => "duplicate");
}

function rejectAll(batch: readonly WaitingCall[], fault: unknown): void {
  batch.forEach(({ reject }) => {
    reject(fault);
  });
}
