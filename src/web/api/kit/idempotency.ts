import { randomBytes } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { Answer } from "./endpoint.js";
import { refusal, RefusedCall, type RefusedRequest } from "./problem.js";
import type { RequestIdentity } from "./request-identity.js";

/** Longer than an answer may take that is waited for (`Answer.later`). */
const OPEN_SECONDS = 35;
const ASK_AGAIN_S = 1;
const REPLAYED = "Idempotent-Replayed";

/** Runs an endpoint: all it stores goes through this pool, and what it wants done after the commit is handed in. */
export type Work = (pool: Pool, afterCommit: (work: () => void) => void) => Promise<Answer | RefusedRequest>;

/**
 * Answers a request with an Idempotency-Key once: what the endpoint stores and its first answer are one transaction, so
 * that neither is there without the other, whatever ends the process. For a day the same request gets that answer again.
 * While the first is under way its transaction holds a lock, which ends with it.
 *
 * @throws RefusedCall: 422 for another request with the key, 409 while the first is under way; and the endpoint's own.
 */
export async function answerOnce(pool: Pool, identity: RequestIdentity, work: Work): Promise<Answer> {
  const afterward: (() => void)[] = [];
  const answer = await inTransaction(pool, (client) =>
    answerWithin(client, identity, (within) => work(within, (then) => void afterward.push(then))),
  );
  for (const then of afterward) then();
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

/** A request whose Idempotency-Key is taken for as long as it is under way, though it is stored in several transactions. */
export interface OpenRequest {
  /** To be called while it goes on: the key is free again once nobody did so for a while. Asks the database now and then. */
  readonly stay: () => Promise<void>;
  /**
   * Answers in a transaction of the caller's.
   *
   * @returns the first answer: of `work`, or of an earlier request, with the header Idempotent-Replayed.
   * @throws RefusedCall as {@link answerOnce} does.
   */
  readonly answerWithin: (client: PoolClient, requestHash: Buffer, work: WorkWithin) => Promise<Answer>;
  /** Frees the key if no answer was stored. */
  readonly leave: () => Promise<void>;
}

type WorkWithin = (pool: Pool) => Promise<Answer | RefusedRequest>;

/** How long a request that is under way keeps its key after it was last heard of; a crash lets it lapse. */
const STAY_SECONDS = 30;
const STAY_AGAIN_MS = 10_000;

/**
 * Takes the Idempotency-Key for a request that takes its time, so that another one with it is told so meanwhile. What the
 * request is becomes known with its last byte only: a random mark stands for its hash until then.
 *
 * @throws RefusedCall, 409, while another request with the key is under way.
 */
export async function openRequest(
  pool: Pool,
  { portalId, keyHash }: Omit<RequestIdentity, "requestHash">,
): Promise<OpenRequest> {
  const own = { portalId, keyHash, requestHash: randomBytes(32) };
  const values = [portalId, keyHash, own.requestHash, STAY_SECONDS];
  const isOurs = (await pool.query(TAKE_KEY, values)).rowCount === 1;
  if (!isOurs) await inTransaction(pool, (client) => refuseIfOpen(client, own));
  let stayedAtMs = performance.now();
  return {
    stay: async () => {
      if (!isOurs || performance.now() - stayedAtMs < STAY_AGAIN_MS) return;
      stayedAtMs = performance.now();
      await pool.query(STAY, values);
    },
    answerWithin: async (client, requestHash, work) => {
      await client.query(LEAVE, values.slice(0, 3));
      return answerWithin(client, { portalId, keyHash, requestHash }, work);
    },
    leave: async () => {
      // In a transaction: also where nobody waits for the answer anymore.
      if (isOurs) await inTransaction(pool, (client) => client.query(LEAVE, values.slice(0, 3)));
    },
  };
}

async function refuseIfOpen(client: PoolClient, identity: RequestIdentity): Promise<void> {
  const { rows } = await client.query<{ is_open: boolean }>(
    "SELECT status = 0 AND open_until > now() AS is_open FROM api_requests WHERE portal_id = $1 AND key_hash = $2",
    [identity.portalId, identity.keyHash],
  );
  if (rows[0]?.is_open === true) throw inUse();
}

async function answerWithin(
  client: PoolClient,
  identity: RequestIdentity,
  work: WorkWithin,
): Promise<Answer> {
  await lockRequest(client, identity);
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

/** Until the transaction ends. @throws RefusedCall, 409: another request with the key has it. */
export async function lockRequest(client: PoolClient, { portalId, keyHash }: RequestIdentity): Promise<void> {
  const { rows } = await client.query<{ is_free: boolean }>(
    "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS is_free",
    [`api-request:${portalId}:${keyHash.toString("hex")}`],
  );
  if (rows[0]?.is_free !== true) throw inUse();
}

/** The first request with the key is under way. */
export function inUse(): RefusedCall {
  return new RefusedCall(
    refusal("IDEMPOTENCY_KEY_IN_USE", { headers: { "Retry-After": String(ASK_AGAIN_S) } }),
  );
}

/** Status 0: the request is under way, and there is no answer yet. */
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
       FROM api_requests WHERE portal_id = $1 AND key_hash = $2 AND created_at > now() - interval '24 hours'
        AND (status > 0 OR open_until > now())`,
    [portalId, keyHash, requestHash],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  if (row.status === 0) throw inUse();
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
    portalId,
    keyHash,
    requestHash,
    status,
    JSON.stringify(headers),
    body === undefined ? null : JSON.stringify(body),
    later === undefined ? null : OPEN_SECONDS,
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

/** What is old, and what was under way when its process died, is no answer. */
// eslint-disable-next-line house/no-write-sql -- the frame's own bookkeeping, as above
const TAKE_KEY = `
  INSERT INTO api_requests AS r (portal_id, key_hash, request_hash, status, headers, open_until)
  VALUES ($1, $2, $3, 0, '{}', now() + $4::int * interval '1 second')
  ON CONFLICT (portal_id, key_hash) DO UPDATE
    SET request_hash = EXCLUDED.request_hash, status = 0, headers = '{}', body = NULL, open_until = EXCLUDED.open_until, created_at = now()
    WHERE r.created_at <= now() - interval '24 hours' OR (r.status = 0 AND r.open_until <= now())`;

const OURS = "portal_id = $1 AND key_hash = $2 AND request_hash = $3 AND status = 0";
// eslint-disable-next-line house/no-write-sql -- as above
const STAY = `UPDATE api_requests SET open_until = now() + $4::int * interval '1 second' WHERE ${OURS}`;
// eslint-disable-next-line house/no-write-sql -- as above
const LEAVE = `DELETE FROM api_requests WHERE ${OURS}`;

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
