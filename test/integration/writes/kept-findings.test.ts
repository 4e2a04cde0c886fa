import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import type { Pool } from "pg";
import { openDatabase } from "#platform/db/client.js";
import { inTransaction } from "#platform/db/transaction.js";
import { claimDue, type Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { enrolled } from "#domain/contract/outcome.js";
import type { Result } from "#domain/executions/write-back.js";
import { FindingBuffer } from "#worker/writes/finding-buffer.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { acquirePortal, LEASE_CTE, LeaseLost } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const WAIT: Result = { to: "QUEUED", isWait: true, delayMs: 0, problem: "Nobody is free." };

const done = (id = "60"): Result => ({
  to: "DECIDED",
  outcome: enrolled({ id, enrolledAt: new Date() }),
});

describe("what attempts found out, when it cannot be written at once", () => {
  let db: TestDatabase;
  let portalId = 8_000n;
  let owner: Ownership;
  let claimed: ClaimedExecution[];

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  const pool = () => db.database.pool;

  beforeEach(async () => {
    portalId += 1n;
    await seedExecutions(
      db.database,
      [1, 2, 3, 4].map(() => ({ portalId, sequenceId: "1", dueAt: new Date(Date.now() - 1_000) })),
    );
    const { epoch } = await acquirePortal(pool(), portalId);
    owner = { pool: pool(), portalId, epoch, leaseCte: LEASE_CTE };
    claimed = (await claimDue(owner, 10)).sort((one, other) => (one.id < other.id ? -1 : 1));
  });

  function bufferOver(over: Pool, options: { isClaimed?: (id: bigint) => boolean } = {}): FindingBuffer {
    const ours = { ...owner, pool: over };
    const logger = pino({ level: "silent" });
    return new FindingBuffer({
      owner: ours,
      writer: new RetryingWriter({ owner: ours, logger, mayStillWrite: () => true }),
      underWay: () => 1,
      claimsAtRest: () => Promise.resolve(),
      isClaimed: () => false,
      onDecided: () => undefined,
      ...options,
    });
  }

  /** The pool, whose first `times` writes of findings fail: before the database has seen them, or with the answer lost. */
  function failing(when: "before" | "after", { times = 1, code = "57P01" } = {}): Pool {
    let left = times;
    const query = async (given: { name?: string }, ...rest: unknown[]): Promise<unknown> => {
      const fails = given.name?.startsWith("write-findings") === true && left > 0;
      if (fails) left -= 1;
      const fault = Object.assign(new Error("terminating connection"), { code });
      if (fails && when === "before") throw fault;
      const answer: unknown = await (pool().query as (...asked: unknown[]) => Promise<unknown>)(
        given,
        ...rest,
      );
      if (fails) throw fault;
      return answer;
    };
    return { query } as unknown as Pool;
  }

  async function states(): Promise<string[]> {
    const { rows } = await pool().query<{ state: string }>(
      `SELECT state FROM executions WHERE portal_id = $1 ORDER BY id`,
      [portalId],
    );
    return rows.map(({ state }) => state);
  }

  const DECIDED = Array.from({ length: 4 }, () => "DECIDED");

  test.each([
    ["before", "57P01"],
    ["after", "57P01"],
    ["before", "40P01"],
    ["before", "55P03"],
    ["after", "08006"],
  ] as const)("is written again where the write failed %s it took effect (%s)", async (when, code) => {
    const buffer = bufferOver(failing(when, { times: 3, code }));
    claimed.forEach((execution) => buffer.add(execution, done()));
    await buffer.flush();
    expect(await states()).toEqual(DECIDED);
  });

  test("is void once another owner exists, however often it is tried", async () => {
    const buffer = bufferOver(failing("before", { times: 2 }));
    claimed.forEach((execution) => buffer.add(execution, done()));
    await acquirePortal(pool(), portalId);
    await expect(buffer.flush()).rejects.toBeInstanceOf(LeaseLost);
    expect(await states()).toEqual(DECIDED.map(() => "ATTEMPTING"));
  });

  test("does not meet a later claim of a row whose write took effect unknown to us", async () => {
    const [first] = claimed;
    if (first === undefined) throw new Error("nothing was claimed");
    const again = new Set<bigint>();
    const buffer = bufferOver(failing("after"), { isClaimed: (id) => again.has(id) });
    buffer.add(first, WAIT);
    // The write takes effect, its answer is lost, and the row is claimed again at once.
    for (let looks = 0; again.size === 0 && looks < 200; looks += 1) {
      (await claimDue(owner, 1)).forEach(({ id }) => again.add(id));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await buffer.flush();
    expect(again).toEqual(new Set([first.id]));
    expect(await states()).toEqual(DECIDED.map(() => "ATTEMPTING"));
  });

  test("keeps one that the database refuses from the others: it counts as a crash", async () => {
    const buffer = bufferOver(pool());
    claimed.forEach((execution, index) => buffer.add(execution, done(index === 2 ? "6\0" : "60")));
    await buffer.flush();
    expect(await states()).toEqual(["DECIDED", "DECIDED", "UNCERTAIN", "DECIDED"]);
    const { rows } = await pool().query(
      `SELECT crashes FROM executions WHERE portal_id = $1 AND crashes > 0`,
      [portalId],
    );
    expect(rows).toEqual([{ crashes: 1 }]);
  });

  test("waits for a row that somebody holds, and the others do not", async () => {
    const impatient = openDatabase({
      url: db.url,
      applicationName: "impatient",
      poolSize: 2,
      statementTimeoutMs: 300,
    });
    const buffer = bufferOver(impatient.pool);
    await inTransaction(pool(), async (client) => {
      await client.query(`SELECT FROM executions WHERE portal_id = $1 AND id = $2 FOR UPDATE`, [
        ...[portalId, claimed[1]?.id],
      ]);
      claimed.forEach((execution) => buffer.add(execution, done()));
      const endsAt = Date.now() + 60_000;
      while ((await states()).filter((state) => state === "DECIDED").length < 3) {
        if (Date.now() > endsAt) throw new Error("the others waited");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    await buffer.flush();
    expect(await states()).toEqual(DECIDED);
    await impatient.close();
  });
});
