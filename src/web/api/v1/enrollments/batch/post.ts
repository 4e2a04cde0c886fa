import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import { z } from "zod";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { TraceAccepting } from "#platform/observability/tracing/tracing.js";
import { AccountShare } from "#web/kit/account-share.js";
import { endpoint, type AnyEndpoint, type Answer } from "#web/api/kit/endpoint.js";
import { schemaOf } from "#web/api/kit/openapi.js";
import { PROBLEM_CODES, refusal, type RefusedRequest } from "#web/api/kit/problem.js";
import { RowsOnce, type RowAnswer } from "#web/api/kit/stream/rows-once.js";
import { splitLines, type Arrived, type Line } from "#web/api/kit/stream/split-lines.js";
import { piecesOf } from "#web/api/kit/stream/stream-body.js";
import { writeParts } from "#web/api/kit/stream/write-lines.js";
import { enrollmentBody } from "../enrollment-body.js";
import { answerBatch } from "./answer-batch.js";
import { BATCH_LIMITS } from "./read-rows.js";

export interface PostBatchOptions {
  /** Called after a commit when a portal has new work. Must not throw. */
  readonly wake: (portalId: PortalId) => void;
  /** Goes on when the caller has hung up. */
  readonly committed: Pool;
  readonly traceAccepting: TraceAccepting;
}

const NDJSON = "application/x-ndjson";

const STREAM_LIMITS = {
  stallMs: 20_000,
  /** Before the connection of an answer that takes so long is closed (web/kit/guard-connections.ts). */
  longestMs: 270_000,
  mostBytes: BATCH_LIMITS.rows * (BATCH_LIMITS.rowBytes + 1),
};

/** Each holds a connection to the database while rows are stored: an account's batches leave some to others. */
const BATCHES_OF_AN_ACCOUNT = { inHand: 2, waiting: 8, patienceMs: 3_000 };
const ASK_AGAIN_S = 5;

const id = z.string();
const rowAnswer = z.discriminatedUnion("status", [
  z.object({ index: z.int(), status: z.literal("ACCEPTED"), id }),
  z.object({ index: z.int(), status: z.literal("DUPLICATE"), id }),
  z.object({
    index: z.int(),
    status: z.literal("REFUSED"),
    code: z.enum(PROBLEM_CODES),
    detail: z.string(),
  }),
]);

/** Each row is checked by itself: what is wrong with one is its own answer. */
const inputs = z.array(z.unknown().meta(schemaOf(enrollmentBody))).max(BATCH_LIMITS.rows);

/** `POST /enrollments/batch`: rows are accepted and answered while they arrive. */
export function createPostBatch({ wake, committed: pool, traceAccepting }: PostBatchOptions): AnyEndpoint {
  const share = new AccountShare(BATCHES_OF_AN_ACCOUNT);
  return endpoint({
    method: "post",
    path: "/enrollments/batch",
    operationId: "createEnrollments",
    tag: "Enrollments",
    scope: "enrollments:write",
    summary: "Enroll many contacts",
    description:
      "A row is an enrollment as `POST /enrollments` takes it. Send one per line (`application/x-ndjson`), 50,000 rows and 16 KiB a row at most, or fewer " +
      "as `inputs` of a JSON body. Each row is answered by a line of its own, in order, as soon as it is stored; what is wrong with one leaves the others. " +
      "A row whose `reference` was used within 24 hours is a `DUPLICATE`, and is not accepted again. If the batch cannot go on, the last line says why.",
    body: z.strictObject({ inputs }),
    streams: { [NDJSON]: "A row a line." },
    answers: { 200: { description: "A line for each row.", schema: rowAnswer, mediaType: NDJSON } },
    problems: ["PAYLOAD_TOO_LARGE"],
    isUnhurried: true,
    isIdempotentByItself: "always",
    handle: async ({ actor, body, streamed, identity, signal, stillAdmitted }) => {
      const leave = await share.enter(actor.portalId, signal);
      if (leave === undefined) return TOO_MANY_AT_ONCE;
      try {
        const lines =
          streamed === undefined
            ? linesOf(body.inputs)
            : splitLines(piecesOf(streamed, STREAM_LIMITS), BATCH_LIMITS.rowBytes);
        const once = identity && (await RowsOnce.begin(pool, identity));
        const batch = once?.batch ?? randomUUID();
        const work = { actor, pool, batch, once, stillAdmitted, wake, traceAccepting };
        const answers = answerBatch(lines, work);
        // Before it is said that all is well: what cannot begin is a problem like any other.
        const first = await answers.next();
        return stream(inLines(first, answers), { isReplay: once?.isReplay === true, leave });
      } catch (error) {
        leave();
        throw error;
      }
    },
  });
}

const TOO_MANY_AT_ONCE: RefusedRequest = refusal("RATE_LIMITED", {
  detail: "Too many batches of this account are under way at once.",
  headers: { "Retry-After": String(ASK_AGAIN_S) },
});

async function* linesOf(rows: readonly unknown[]): AsyncGenerator<Arrived> {
  const lines = rows.map((row): Line => {
    const text = JSON.stringify(row);
    return Buffer.byteLength(text) > BATCH_LIMITS.rowBytes ? { problem: "too-long" } : { text };
  });
  yield await Promise.resolve({ lines, isLast: true });
}

async function* inLines(
  first: IteratorResult<readonly RowAnswer[]>,
  others: AsyncGenerator<readonly RowAnswer[]>,
): AsyncGenerator<string> {
  let index = 0;
  const toLines = (answers: readonly RowAnswer[]): string =>
    answers.map((answer) => `${JSON.stringify({ index: index++, ...answer })}\n`).join("");
  try {
    if (first.done !== true) yield toLines(first.value);
    for await (const answers of others) yield toLines(answers);
  } finally {
    await others.return(undefined);
  }
}

function stream(
  lines: AsyncGenerator<string>,
  { isReplay, leave }: { isReplay: boolean; leave: () => void },
): Answer {
  return {
    status: 200,
    headers: { "Content-Type": NDJSON, ...(isReplay && { "Idempotent-Replayed": "true" }) },
    stream: async (response) => {
      try {
        await writeParts({ request: response.req, response }, lines);
      } finally {
        leave();
      }
    },
  };
}
