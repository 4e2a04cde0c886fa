import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import type { ApiKey } from "#domain/contract/actor.js";
import { acceptBatch, type RowResult } from "#domain/enrollments/accept-batch.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { TraceAccepting } from "#platform/observability/tracing/tracing.js";
import { isStorageDown } from "#platform/db/storage-faults.js";
import { inTransaction } from "#platform/db/transaction.js";
import { cutText } from "#platform/text/storable-text.js";
import { meaningOf, refusal, RefusedCall } from "#web/api/kit/problem.js";
import type { RowAnswer, RowsOnce } from "#web/api/kit/stream/rows-once.js";
import type { Arrived } from "#web/api/kit/stream/split-lines.js";
import { BATCH_LIMITS, isRefused, readRow, type ReadRow } from "./read-rows.js";

export interface BatchWork {
  readonly actor: ApiKey;
  readonly pool: Pool;
  /** Names the batch's rows for good. */
  readonly batch: string;
  /** Of a batch with an Idempotency-Key. */
  readonly once: RowsOnce | undefined;
  readonly stillAdmitted: () => Promise<void>;
  /** Called after the commit when the portal has new work. */
  readonly wake: (portalId: PortalId) => void;
  readonly traceAccepting: TraceAccepting;
}

/** Rows that are stored together. */
const SLICE = 100;
/** Pauses before rows that the database did not take are tried again. */
const PAUSES_MS = [500, 1_500];
const LONGEST_DETAIL = 1_000;

/**
 * Answers the lines of a batch, in their order, once they are stored: those that have arrived together. If it cannot go
 * on, the next row is told why, and those after it are neither read nor answered.
 *
 * @throws RefusedCall, or the database's fault, if it cannot even begin.
 */
export async function* answerBatch(
  arriving: AsyncIterable<Arrived>,
  work: BatchWork,
): AsyncGenerator<readonly RowAnswer[]> {
  let answered = 0;
  let isFinished = false;
  try {
    for await (const { lines, isLast } of slicesOf(arriving)) {
      const rows = lines.map((line, place) => readRow(line, answered + place));
      const answers = rows.length === 0 ? [] : await answerRows(rows, work);
      // Before these are answered: it may turn out to be another batch than the first one with the key.
      if (isLast) await work.once?.finish(answered + rows.length);
      isFinished = isLast;
      yield answers;
      answered += rows.length;
    }
  } catch (error) {
    if (answered === 0) throw error;
    yield [lastAnswer(error)];
  } finally {
    if (!isFinished) await work.once?.release().catch(() => undefined);
  }
}

/** @throws RefusedCall, 413, at the first line too many. */
async function* slicesOf(arriving: AsyncIterable<Arrived>): AsyncGenerator<Arrived> {
  let left = BATCH_LIMITS.rows;
  for await (const { lines, isLast } of arriving)
    for (let start = 0, isEnd = false; !isEnd;) {
      const slice = lines.slice(start, start + Math.min(SLICE, left));
      start += slice.length;
      left -= slice.length;
      if (slice.length === 0 && start < lines.length) throw tooMany();
      isEnd = start === lines.length;
      yield { lines: slice, isLast: isLast && isEnd };
    }
}

const tooMany = (): RefusedCall =>
  new RefusedCall(refusal("PAYLOAD_TOO_LARGE", { detail: `A batch has ${BATCH_LIMITS.rows} rows at most.` }));

/** @throws what is our own fault. */
function lastAnswer(error: unknown): RowAnswer {
  const isRefusal = error instanceof RefusedCall;
  if (!isRefusal && !isStorageDown(error)) throw error;
  const code = isRefusal ? error.code : "UNAVAILABLE";
  const detail = isRefusal ? error.refusal.detail : meaningOf(code);
  return { status: "REFUSED", code, detail: `${detail} This row and those after it were not read.` };
}

/** Rows are named, so storing them again after a lost answer of the database stores none twice. */
async function answerRows(rows: readonly ReadRow[], work: BatchWork): Promise<readonly RowAnswer[]> {
  const { pool, once, actor } = work;
  await work.stillAdmitted();
  const answers = await work.traceAccepting("batch", actor.portalId, (traceparent) => {
    const answer = (client: PoolClient, some: readonly ReadRow[]) =>
      accept(client, some, { ...work, traceparent });
    return withPatience(() =>
      once === undefined ? inTransaction(pool, (client) => answer(client, rows)) : once.answer(rows, answer),
    );
  });
  if (answers.some(({ status }) => status === "ACCEPTED")) work.wake(actor.portalId);
  return answers;
}

async function withPatience<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (const pauseMs of PAUSES_MS)
    try {
      return await attempt();
    } catch (error) {
      if (!isStorageDown(error)) throw error;
      await sleep(pauseMs);
    }
  return attempt();
}

async function accept(
  client: PoolClient,
  rows: readonly ReadRow[],
  { actor, batch, traceparent }: BatchWork & { traceparent: string | undefined },
): Promise<RowAnswer[]> {
  const asked = rows.flatMap(({ index, content }) =>
    isRefused(content) ? [] : [{ callbackId: `api:${batch}:${index}`, wish: content, traceparent }],
  );
  const results = await acceptBatch(client, actor, asked);
  if (results === undefined) throw new RefusedCall(refusal("NOT_CONNECTED"));
  const inOrder = results.values();
  return rows.map(({ content }) => (isRefused(content) ? content : toAnswer(inOrder.next().value)));
}

function toAnswer(result: RowResult | undefined): RowAnswer {
  switch (result?.kind) {
    case "accepted":
      return { status: "ACCEPTED", id: String(result.id) };
    case "duplicate":
      return { status: "DUPLICATE", id: String(result.id) };
    default:
      return {
        status: "REFUSED",
        code: result?.code ?? "INVALID_INPUT",
        detail: cutText(result?.detail ?? "", LONGEST_DETAIL),
      };
  }
}
