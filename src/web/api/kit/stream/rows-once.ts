import { createHash, randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { inUse, lockRequest } from "../idempotency.js";
import { meaningOf, refusal, RefusedCall, type ProblemCode } from "../problem.js";
import type { RequestIdentity } from "../request-identity.js";

/** What is answered of one row of a request that is streamed. */
export type RowAnswer =
  | { readonly status: "ACCEPTED" | "DUPLICATE"; readonly id: string }
  | { readonly status: "REFUSED"; readonly code: ProblemCode; readonly detail: string };

/** A row, by its place among all rows of the request and by what it says. */
export interface NumberedRow {
  readonly index: number;
  /** Differs where what the row says differs. */
  readonly digest: string;
}

/** Answers rows within a transaction: what it stores and what it answers are there together, or not at all. */
export type AnswerRows<Row> = (client: PoolClient, rows: readonly Row[]) => Promise<RowAnswer[]>;

/** How long a request that sends and answers nothing stays the only one with its key. Longer than it may stall. */
const LEASE_SECONDS = 35;

/** What is known of a streamed request with an Idempotency-Key, in `api_requests.headers`. */
interface RequestRecord {
  /** Names the request's rows for good. */
  readonly batch: string;
  /** Which connection's turn it is: an earlier one that lost its turn stores nothing more. */
  readonly run: string;
  /** How many rows it had; null: it did not come to its end yet. */
  readonly total: number | null;
}

/** A row's answer as it is kept: without its words, which may name somebody. */
type KeptAnswer = readonly [digest: string, status: RowAnswer["status"], idOrCode: string];

interface Part {
  readonly first: number;
  readonly rows: readonly KeptAnswer[];
  /** Null: forgotten, because somebody whom they may have named was deleted. */
  readonly details: readonly (string | null)[] | null;
}

/**
 * Answers the rows of a streamed request once. Its rows are stored in parts, each with its answers in one transaction; so
 * a request that is repeated, also after a crash in the middle, gets the first answers as far as there are any, and goes
 * on behind them.
 */
export class RowsOnce {
  readonly batch: string;
  /** Whether the first rows were answered before. */
  isReplay = false;
  readonly #pool: Pool;
  readonly #identity: RequestIdentity;
  readonly #run: string;
  readonly #total: number | null;
  #part: Part | undefined;

  private constructor(pool: Pool, identity: RequestIdentity, { batch, run, total }: RequestRecord) {
    this.batch = batch;
    this.#pool = pool;
    this.#identity = identity;
    this.#run = run;
    this.#total = total;
  }

  /** @throws RefusedCall: 422 for another request with the key, 409 while the first is under way. */
  static async begin(pool: Pool, identity: RequestIdentity): Promise<RowsOnce> {
    return inTransaction(pool, async (client) => {
      await lockRequest(client, identity);
      const known = await findRecord(client, identity);
      const record = { batch: randomUUID(), total: null, ...known, run: randomUUID() };
      await client.query(BEGIN, [...keyOf(identity), identity.requestHash, JSON.stringify(record)]);
      return new RowsOnce(pool, identity, record);
    });
  }

  /**
   * The answers to the next rows of the request, in their order.
   *
   * @throws RefusedCall, 422: the rows are not those that came with the key before; 409: a later request has the turn.
   */
  async answer<Row extends NumberedRow>(rows: readonly Row[], work: AnswerRows<Row>): Promise<RowAnswer[]> {
    const known = await this.#replay(rows);
    const fresh = rows.slice(known.length);
    const [first] = fresh;
    if (first === undefined) return known;
    if (this.#total !== null) throw reused();
    const made = await inTransaction(this.#pool, async (client) => {
      await this.#renew(client, { ends: false });
      const answers = await work(client, fresh);
      await this.#store(client, fresh, answers);
      return answers;
    });
    return [...known, ...made];
  }

  /** All rows are answered. @throws RefusedCall, 422: the first request had more. */
  async finish(total: number): Promise<void> {
    if (this.#total !== null && this.#total !== total) throw reused();
    await this.#pool.query(FINISH, [...keyOf(this.#identity), this.#run, total]);
  }

  /** It ends early: whoever repeats it need not wait. */
  async release(): Promise<void> {
    await this.#renew(this.#pool, { ends: true });
  }

  async #replay(rows: readonly NumberedRow[]): Promise<RowAnswer[]> {
    const answers: RowAnswer[] = [];
    for (const { index, digest } of rows) {
      const part = await this.#partOf(index);
      const kept = part?.rows[index - part.first];
      if (part === undefined || kept === undefined) break;
      if (kept[0] !== digest) throw reused();
      answers.push(toAnswer(kept, part.details?.[index - part.first] ?? null));
      this.isReplay ||= index === 0;
    }
    return answers;
  }

  async #partOf(index: number): Promise<Part | undefined> {
    const part = this.#part;
    if (part !== undefined && index < part.first + part.rows.length) return part;
    const { rows } = await this.#pool.query<{ headers: { rows: KeptAnswer[] }; body: string | null }>(
      FIND_PART,
      this.#partKey(index),
    );
    const [found] = rows;
    const details = found?.body == null ? null : (JSON.parse(found.body) as (string | null)[]);
    return (this.#part = found && { first: index, rows: found.headers.rows, details });
  }

  /** Of the part that begins with a row. */
  #partKey(index: number): [PortalId, Buffer] {
    const { portalId, keyHash } = this.#identity;
    const hash = createHash("sha256").update(keyHash).update(`${this.batch}:${index}`);
    return [portalId, hash.digest()];
  }

  async #renew(client: Pick<PoolClient, "query"> | Pool, { ends }: { ends: boolean }): Promise<void> {
    const { rowCount } = await client.query(RENEW, [...keyOf(this.#identity), this.#run, ends]);
    if (rowCount === 0 && !ends) throw inUse();
  }

  async #store(
    client: PoolClient,
    rows: readonly NumberedRow[],
    answers: readonly RowAnswer[],
  ): Promise<void> {
    const kept = answers.map((answer, place): KeptAnswer => {
      const { digest = "" } = rows[place] ?? {};
      return [digest, answer.status, answer.status === "REFUSED" ? answer.code : answer.id];
    });
    const details = answers.map((answer) => (answer.status === "REFUSED" ? answer.detail : null));
    await client.query(STORE_PART, [
      ...this.#partKey(rows[0]?.index ?? 0),
      this.#identity.keyHash,
      JSON.stringify({ rows: kept }),
      JSON.stringify(details),
    ]);
  }
}

function keyOf({ portalId, keyHash }: RequestIdentity): [PortalId, Buffer] {
  return [portalId, keyHash];
}

function toAnswer([, status, idOrCode]: KeptAnswer, detail: string | null): RowAnswer {
  if (status !== "REFUSED") return { status, id: idOrCode };
  const code = idOrCode as ProblemCode;
  return { status, code, detail: detail ?? meaningOf(code) };
}

const reused = (): RefusedCall => new RefusedCall(refusal("IDEMPOTENCY_KEY_REUSED"));

async function findRecord(client: PoolClient, identity: RequestIdentity): Promise<RequestRecord | undefined> {
  const { rows } = await client.query<{ record: RequestRecord; is_same: boolean; is_open: boolean }>(
    `SELECT headers AS record, request_hash = $3 AS is_same, coalesce(open_until > now(), false) AS is_open
       FROM api_requests WHERE portal_id = $1 AND key_hash = $2 AND created_at > now() - interval '24 hours'`,
    [...keyOf(identity), identity.requestHash],
  );
  const [row] = rows;
  if (row !== undefined && !row.is_same) throw reused();
  if (row?.is_open === true) throw inUse();
  return row?.record;
}

/* eslint-disable house/no-write-sql -- the frame's own bookkeeping: no rule of an account */
const OPEN_UNTIL = `now() + interval '${LEASE_SECONDS} seconds'`;

const BEGIN = `
  INSERT INTO api_requests (portal_id, key_hash, request_hash, status, headers, open_until)
  VALUES ($1, $2, $3, 200, $4, ${OPEN_UNTIL})
  ON CONFLICT (portal_id, key_hash) DO UPDATE
    SET request_hash = EXCLUDED.request_hash, status = 200, headers = EXCLUDED.headers, body = NULL, open_until = EXCLUDED.open_until,
        created_at = CASE WHEN api_requests.created_at > now() - interval '24 hours' THEN api_requests.created_at ELSE now() END`;

const RENEW = `
  UPDATE api_requests SET open_until = CASE WHEN $4 THEN now() ELSE ${OPEN_UNTIL} END
   WHERE portal_id = $1 AND key_hash = $2 AND headers ->> 'run' = $3`;

const FINISH = `
  UPDATE api_requests SET open_until = NULL, headers = jsonb_set(headers, '{total}', to_jsonb($4::int))
   WHERE portal_id = $1 AND key_hash = $2 AND headers ->> 'run' = $3`;

const FIND_PART = `SELECT headers, body FROM api_requests WHERE portal_id = $1 AND key_hash = $2`;

const STORE_PART = `
  INSERT INTO api_requests (portal_id, key_hash, request_hash, status, headers, body) VALUES ($1, $2, $3, 200, $4, $5)`;
