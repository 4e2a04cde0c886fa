import { createHash } from "node:crypto";
import type { Request } from "express";
import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { Answer } from "./endpoint.js";
import { refusal, RefusedCall, type RefusedRequest } from "./problem.js";

/** Longer than an answer may take that is waited for (`Answer.later`). */
const OPEN_SECONDS = 35;
const ASK_AGAIN_S = 1;
const REPLAYED = "Idempotent-Replayed";
const KEY = /^[\x20-\x7e]{1,255}$/;

/** What makes a request the same as another one. */
export interface RequestIdentity {
  readonly portalId: bigint;
  readonly keyHash: Buffer;
  readonly requestHash: Buffer;
}

/** Runs an endpoint: all it stores goes through this pool, and what it wants done after the commit is handed in. */
export type Work = (pool: Pool, afterCommit: (work: () => void) => void) => Promise<Answer | RefusedRequest>;

const digest = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * The identity of a request with an Idempotency-Key; undefined: it has none.
 *
 * @throws RefusedCall, 400, for a key that is not 1 to 255 printable characters.
 */
export function identityOf(
  request: Request,
  portalId: bigint,
  bytes: Buffer | undefined,
): RequestIdentity | undefined {
  const key = request.get("idempotency-key");
  if (request.method !== "POST" || key === undefined) return undefined;
  if (!KEY.test(key)) {
    const detail = "This has 1 to 255 printable characters.";
    throw new RefusedCall(refusal("INVALID_REQUEST", { errors: [{ parameter: "Idempotency-Key", detail }] }));
  }
  const route = `${request.method} ${request.originalUrl.split("?", 1)[0] ?? ""}\0`;
  return { portalId, keyHash: digest(key), requestHash: digest(route, bytes ?? "") };
}

/**
 * Answers a request with an Idempotency-Key once: what the endpoint stores and its first answer are one transaction, so
 * that neither is there without the other, whatever ends the process. For a day the same request gets that answer again.
 * While the first is under way its transaction holds a lock, which ends with it.
 *
 * @throws RefusedCall: 422 for another request with the key, 409 while the first is under way; and the endpoint's own.
 */
export async function answerOnce(pool: Pool, identity: RequestIdentity, work: Work): Promise<Answer> {
  const afterwards: (() => void)[] = [];
  const answer = await inTransaction(pool, (client) =>
    answerWithin(client, identity, (within) => work(within, (then) => void afterwards.push(then))),
  );
  for (const then of afterwards) then();
  const { later } = answer;
  if (later === undefined) return answer;
  return {
    ...answer,
    later: async () => {
      const final = await later();
      await storeAnswer(pool, identity, final);
      return final;
    },
  };
}

/**
 * The same in a transaction of the caller's, for what is stored in several.
 *
 * @returns the first answer: of `work`, or of an earlier request, with the header Idempotent-Replayed.
 */
export async function answerWithin(
  client: PoolClient,
  identity: RequestIdentity,
  work: (pool: Pool) => Promise<Answer | RefusedRequest>,
): Promise<Answer> {
  await lock(client, identity);
  const stored = await findAnswer(client, identity);
  if (stored !== undefined) return stored;
  const made = await work(withinTransaction(client));
  if ("kind" in made) throw new RefusedCall(made);
  await storeAnswer(client, identity, made);
  return made;
}

/** Whether an answer was given before. */
export function isReplayed({ headers }: Answer): boolean {
  return headers?.[REPLAYED] !== undefined;
}

async function lock(client: PoolClient, { portalId, keyHash }: RequestIdentity): Promise<void> {
  const { rows } = await client.query<{ is_free: boolean }>(
    "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_free",
    [`api-request:${portalId}:${keyHash.toString("hex")}`],
  );
  if (rows[0]?.is_free !== true) throw inUse();
}

function inUse(): RefusedCall {
  return new RefusedCall(
    refusal("IDEMPOTENCY_KEY_IN_USE", { headers: { "Retry-After": String(ASK_AGAIN_S) } }),
  );
}

interface StoredRow {
  status: number;
  headers: Record<string, string>;
  body: string | null;
  is_same: boolean;
  is_open: boolean;
}

async function findAnswer(
  client: PoolClient,
  { portalId, keyHash, requestHash }: RequestIdentity,
): Promise<Answer | undefined> {
  const { rows } = await client.query<StoredRow>(
    `SELECT status, headers, body, request_hash = $3 AS is_same, coalesce(open_until > now(), false) AS is_open
       FROM api_requests WHERE portal_id = $1 AND key_hash = $2 AND created_at > now() - interval '24 hours'`,
    [portalId, keyHash, requestHash],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  if (!row.is_same) throw new RefusedCall(refusal("IDEMPOTENCY_KEY_REUSED"));
  if (row.is_open) throw inUse();
  const { status, headers, body } = row;
  return {
    status,
    headers: { ...headers, [REPLAYED]: "true" },
    ...(body !== null && { text: body }),
  };
}

/**
 * The last answer that is stored counts: it is open as long as a better one may come. What is shown once is left out: the
 * table is no place for secrets.
 */
async function storeAnswer(
  client: Pick<PoolClient, "query"> | Pool,
  { portalId, keyHash, requestHash }: RequestIdentity,
  { status, headers = {}, body, later }: Answer,
): Promise<void> {
  await client.query(STORE, [
    ...[portalId, keyHash, requestHash, status, JSON.stringify(headers)],
    ...[body === undefined ? null : JSON.stringify(body), later === undefined ? null : OPEN_SECONDS],
  ]);
}

// eslint-disable-next-line house/no-write-sql -- the frame's own bookkeeping: no rule of an account
const STORE = `
  INSERT INTO api_requests (portal_id, key_hash, request_hash, status, headers, body, open_until)
  VALUES ($1, $2, $3, $4, $5, $6, now() + $7::int * interval '1 second')
  ON CONFLICT (portal_id, key_hash) DO UPDATE
    SET request_hash = EXCLUDED.request_hash, status = EXCLUDED.status, headers = EXCLUDED.headers, body = EXCLUDED.body,
        open_until = EXCLUDED.open_until,
        created_at = CASE WHEN api_requests.created_at > now() - interval '24 hours' THEN api_requests.created_at ELSE now() END`;

const STEPS: Readonly<Record<string, string>> = {
  BEGIN: "SAVEPOINT work",
  COMMIT: "RELEASE SAVEPOINT work",
  ROLLBACK: "ROLLBACK TO SAVEPOINT work",
};

/** A pool whose statements, and whose transactions, are all part of one transaction. Prisma's are not. */
export function withinTransaction(client: PoolClient): Pool {
  const query = (...given: readonly unknown[]): unknown => {
    const [text, ...rest] = given;
    const step = typeof text === "string" ? (STEPS[text] ?? text) : text;
    return (client.query as (...statement: unknown[]) => unknown).apply(client, [step, ...rest]);
  };
  return { query, connect: () => Promise.resolve({ query, release: () => undefined }) } as unknown as Pool;
}
