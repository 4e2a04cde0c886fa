import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { AppError } from "../../errors.js";

/** Nobody waits for the answer anymore: its running statements were canceled at the server, and no new ones begin. */
export class AnswerNotWanted extends AppError {
  readonly code = "ANSWER_NOT_WANTED";
  override readonly status = 503;

  constructor(options?: { cause?: unknown }) {
    super("nobody waits for the answer anymore", options);
  }
}

/** Cancels what the server process `processId` is running now. */
export type CancelStatement = (processId: number) => Promise<unknown>;

/** A cancel between two steps of a statement has no effect: it is sent again. */
const AGAIN_MS = 250;

/**
 * The same pool for one answer: a statement that still runs when `signal` ends the answer is canceled at the server,
 * and none begins after that. Transactions are left alone: they are short and roll back as a whole.
 *
 * @throws AnswerNotWanted (by `query`) once `signal` is aborted.
 */
export function endedBy(pool: pg.Pool, signal: AbortSignal, cancel: CancelStatement): pg.Pool {
  const query = (...statement: readonly unknown[]): Promise<unknown> =>
    runUntil(signal, { pool, cancel, statement });
  return new Proxy(pool, {
    get: (target, name): unknown => (name === "query" ? query : Reflect.get(target, name)),
  });
}

interface Run {
  readonly pool: pg.Pool;
  readonly cancel: CancelStatement;
  readonly statement: readonly unknown[];
}

async function runUntil(signal: AbortSignal, { pool, cancel, statement }: Run): Promise<unknown> {
  if (signal.aborted) throw new AnswerNotWanted();
  const client = await pool.connect();
  if (signal.aborted) {
    client.release();
    throw new AnswerNotWanted();
  }
  const running = (client.query as (...given: unknown[]) => Promise<unknown>).apply(client, [...statement]);
  const ended = running.then(
    () => true,
    () => true,
  );
  let ending: Promise<void> | undefined;
  const end = (): void => {
    ending = endStatement(client, { cancel, ended });
  };
  signal.addEventListener("abort", end, { once: true });
  let isFit = false;
  try {
    const result = await running;
    isFit = !signal.aborted;
    return result;
  } catch (error) {
    throw signal.aborted ? new AnswerNotWanted({ cause: error }) : error;
  } finally {
    signal.removeEventListener("abort", end);
    await ending;
    // A cancel may reach the server late and end another statement, so the connection is closed.
    client.release(!isFit);
  }
}

/** Never rejects: if the cancel cannot be sent, the statement's own timeout ends it. */
async function endStatement(
  client: pg.PoolClient,
  { cancel, ended }: { cancel: CancelStatement; ended: Promise<boolean> },
): Promise<void> {
  const { processID } = client as pg.PoolClient & { processID?: number | null };
  if (processID == null) return;
  try {
    for (let isOver = false; !isOver;) {
      await cancel(processID);
      isOver = await Promise.race([ended, sleep(AGAIN_MS, false)]);
    }
  } catch {
    await ended;
  }
}
