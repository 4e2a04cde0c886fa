import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { PoolClient } from "pg";
import { claimDue, claimUncertain, recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import { readOwedCompletions, writeCompletionResults } from "#domain/executions/completions.js";
import { storeIntents } from "#domain/executions/intent.js";
import { enrolled, failed } from "#domain/contract/outcome.js";
import { writeFindings, type Finding } from "#domain/executions/write-back.js";
import { acquirePortal, LEASE_CTE, releasePortal, type PortalLease } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 4_711n;
const OTHER = 4_712n;

describe("a portal's lease and what is written under it", () => {
  let db: TestDatabase;
  let nextCallback = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    await db.database.pool.query(`TRUNCATE executions, portal_drains`);
  });

  const pool = () => db.database.pool;
  const ownerOf = (lease: PortalLease): Ownership => ({
    pool: pool(),
    portalId: lease.portalId,
    epoch: lease.epoch,
    leaseCte: LEASE_CTE,
  });
  const acquire = (portalId = PORTAL) => acquirePortal(pool(), portalId);

  /** Stores executions as accepted; the oldest first. */
  async function store(count: number, changes: { portalId?: bigint; state?: string; dueInMs?: number } = {}) {
    const ids: bigint[] = [];
    for (let made = 0; made < count; made += 1) {
      nextCallback += 1;
      const { rows } = await pool().query<{ id: string }>(
        `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request)
         VALUES ($1, $2, 'ENROLL', $3, now() + ($4 - 1000 + $5) * interval '1 millisecond', now() + interval '1 day', '1001', '300000001',
                 '{"senderMode":"contact_owner","ifAlreadyEnrolled":"skip"}') RETURNING id`,
        [
          changes.portalId ?? PORTAL,
          `ap-lease-${nextCallback}`,
          changes.state ?? "QUEUED",
          changes.dueInMs ?? 0,
          made,
        ],
      );
      ids.push(BigInt(rows[0]?.id ?? 0));
    }
    return ids;
  }

  const statesOf = async (portalId = PORTAL): Promise<Record<string, number>> => {
    const { rows } = await pool().query<{ state: string; count: number }>(
      `SELECT state, count(*)::int AS count FROM executions WHERE portal_id = $1 GROUP BY state`,
      [portalId],
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  };

  const done = (id: bigint, from: Finding["from"] = "ATTEMPTING"): Finding => ({
    id,
    from,
    result: { to: "DECIDED", outcome: enrolled({ id: "60000001", enrolledAt: new Date() }) },
  });

  /** Runs `work` in a transaction of its own and commits when told to: the other side of an interleaving. */
  async function transaction(work: (client: PoolClient) => Promise<void>): Promise<() => Promise<void>> {
    const client = await pool().connect();
    await client.query("BEGIN");
    await work(client);
    return async () => {
      await client.query("COMMIT");
      client.release();
    };
  }

  /** Resolves once some backend waits for a lock: the interleaving is where it should be. */
  async function untilSomebodyWaits(): Promise<void> {
    for (let looks = 0; looks < 400; looks += 1) {
      const { rows } = await pool().query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (rows.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error("nobody waits for a lock");
  }

  describe("acquiring", () => {
    test("gives the first owner an empty window", async () => {
      expect(await acquire()).toMatchObject({ portalId: PORTAL, epoch: 1n, inheritedMs: [] });
    });

    test("raises the epoch each time, however many acquire at once", async () => {
      const leases = await Promise.all(Array.from({ length: 8 }, () => acquire()));
      expect(leases.map(({ epoch }) => epoch).sort()).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    });

    test("keeps portals apart", async () => {
      await acquire();
      await acquire();
      expect((await acquire(OTHER)).epoch).toBe(1n);
    });

    test("hands on what a released owner left in the window, less the time that passed", async () => {
      await releasePortal(pool(), await acquire(), {
        slotsFreeInMs: [9_000, 60_000, -5],
        allowance: undefined,
      });
      const inherited = [...((await acquire()).inheritedMs ?? [])].sort((a, b) => a - b);
      expect(inherited).toHaveLength(2);
      expect(inherited[0]).toBeGreaterThan(5_000);
      // Stored in whole milliseconds, rounded.
      expect(inherited[0]).toBeLessThanOrEqual(9_001);
      expect(inherited[1]).toBeLessThanOrEqual(60_001);
    });

    test("hands on what HubSpot allowed, which outlives an owner that never released", async () => {
      expect((await acquire()).allowance).toBeUndefined();
      await releasePortal(pool(), await acquire(), { slotsFreeInMs: [], allowance: 100 });
      expect((await acquire()).allowance).toBe(100);
      expect((await acquire()).allowance).toBe(100);
    });

    test("tells that nothing is known of the window after an owner that never released", async () => {
      await releasePortal(pool(), await acquire(), { slotsFreeInMs: [9_000], allowance: undefined });
      await acquire();
      expect((await acquire()).inheritedMs).toBeUndefined();
    });

    test("is not disturbed by a release of an owner that was replaced", async () => {
      const old = await acquire();
      const successor = await acquire();
      await releasePortal(pool(), old, { slotsFreeInMs: [], allowance: undefined });
      expect((await acquire()).inheritedMs).toBeUndefined();
      expect(successor.epoch).toBe(2n);
    });
  });

  describe("claiming", () => {
    test("takes what is due, oldest first, and stores the intent", async () => {
      const ids = await store(5);
      await store(1, { dueInMs: 3_600_000 });
      const owner = ownerOf(await acquire());
      const first = await claimDue(owner, 3);
      expect(first.map(({ id }) => id).sort()).toEqual(ids.slice(0, 3).sort());
      expect(first.every(({ state, attempts }) => state === "ATTEMPTING" && attempts === 1)).toBe(true);
      expect((await claimDue(owner, 10)).map(({ id }) => id).sort()).toEqual(ids.slice(3).sort());
      expect(await claimDue(owner, 10)).toEqual([]);
    });

    test("gives each execution to one claim only, however many run at once", async () => {
      const ids = await store(60);
      const owner = ownerOf(await acquire());
      const claims = await Promise.all(Array.from({ length: 10 }, () => claimDue(owner, 20)));
      const claimed = claims.flat().map(({ id }) => id);
      expect(new Set(claimed).size).toBe(claimed.length);
      expect([...claimed].sort()).toEqual([...ids].sort());
    });

    test("keeps the moment of the first attempt through later ones", async () => {
      const [id] = await store(1);
      const owner = ownerOf(await acquire());
      const [first] = await claimDue(owner, 1);
      await writeFindings(owner, [
        { id: id as bigint, from: "ATTEMPTING", result: { to: "QUEUED", delayMs: 0, problem: "busy" } },
      ]);
      const [second] = await claimDue(owner, 1);
      expect(second?.attempts).toBe(2);
      expect(second?.firstAttemptMs).toBeCloseTo(first?.firstAttemptMs ?? 0, -2);
    });

    test("leaves other portals' executions alone", async () => {
      await store(2, { portalId: OTHER });
      expect(await claimDue(ownerOf(await acquire()), 10)).toEqual([]);
      expect(await statesOf(OTHER)).toEqual({ QUEUED: 2 });
    });

    test("an uncertain execution is not handed out again while it is being read", async () => {
      await store(3, { state: "UNCERTAIN" });
      const owner = ownerOf(await acquire());
      expect(await claimUncertain(owner, 10)).toHaveLength(3);
      expect(await claimUncertain(owner, 10)).toEqual([]);
    });

    test("an owner that was replaced claims nothing", async () => {
      await store(3);
      await store(3, { state: "UNCERTAIN" });
      const old = ownerOf(await acquire());
      await acquire();
      expect(await claimDue(old, 10)).toEqual([]);
      expect(await claimUncertain(old, 10)).toEqual([]);
      expect(await statesOf()).toEqual({ QUEUED: 3, UNCERTAIN: 3 });
    });

    const intentOf = (executionId: bigint) => ({
      ...{ executionId, senderUserId: 7n, senderEmail: "ann@example.com", senderChoice: {} },
    });

    async function left(): Promise<Record<string, unknown>[]> {
      const { rows } = await pool().query<Record<string, unknown>>(
        `SELECT state, attempts, crashes, first_attempt_at IS NULL AS is_new, due_at <= now() AS is_due
           FROM executions ORDER BY id`,
      );
      return rows;
    }

    test("recovers what an earlier owner was attempting: what may have been sent to be read, the rest to be attempted", async () => {
      const [sent] = await store(2);
      const dead = ownerOf(await acquire());
      await claimDue(dead, 2);
      await storeIntents(dead, [intentOf(sent as bigint)], []);
      await store(1);
      const successor = ownerOf(await acquire());
      await claimDue(successor, 1);
      expect(await recoverAttempts(successor, { isCrash: true })).toBe(2);
      expect(await recoverAttempts(successor, { isCrash: true })).toBe(0);
      expect(await left()).toEqual([
        { state: "UNCERTAIN", attempts: 1, crashes: 1, is_new: false, is_due: true },
        { state: "QUEUED", attempts: 0, crashes: 1, is_new: true, is_due: true },
        { state: "ATTEMPTING", attempts: 1, crashes: 0, is_new: false, is_due: true },
      ]);
      expect(await storeIntents(dead, [intentOf(0n)], [])).toBe(0);
    });

    test("counts no crash where the earlier owner handed over in order, and begins anew after an attempt that ended", async () => {
      const [id] = await store(1);
      for (const isCrash of [false, true, true]) {
        await claimDue(ownerOf(await acquire()), 1);
        await recoverAttempts(ownerOf(await acquire()), { isCrash });
      }
      expect(await left()).toMatchObject([{ state: "QUEUED", crashes: 2 }]);
      const owner = ownerOf(await acquire());
      await claimDue(owner, 1);
      const result = { to: "QUEUED" as const, delayMs: 0, problem: "busy" };
      await writeFindings(owner, [{ id: id as bigint, from: "ATTEMPTING", result }]);
      expect(await left()).toMatchObject([{ crashes: 0 }]);
    });

    test("an owner that was replaced recovers nothing", async () => {
      await store(1);
      await claimDue(ownerOf(await acquire()), 1);
      const old = ownerOf(await acquire());
      await acquire();
      expect(await recoverAttempts(old, { isCrash: true })).toBe(0);
      expect(await statesOf()).toEqual({ ATTEMPTING: 1 });
    });
  });

  describe("writing findings", () => {
    test("decides, retries and doubts in one statement", async () => {
      const ids = await store(3);
      const owner = ownerOf(await acquire());
      await claimDue(owner, 3);
      const [first, second, third] = ids as [bigint, bigint, bigint];
      const written = await writeFindings(owner, [
        done(first),
        { id: second, from: "ATTEMPTING", result: { to: "QUEUED", delayMs: 60_000, problem: "busy" } },
        { id: third, from: "ATTEMPTING", result: { to: "UNCERTAIN", delayMs: 60_000, problem: "reset" } },
      ]);
      expect(written).toBe(3);
      expect(await statesOf()).toEqual({ DECIDED: 1, QUEUED: 1, UNCERTAIN: 1 });
      expect(await claimDue(owner, 10)).toEqual([]);
    });

    test("moves nothing for an owner that was replaced", async () => {
      const ids = await store(2);
      const old = ownerOf(await acquire());
      await claimDue(old, 2);
      await acquire();
      expect(
        await writeFindings(
          old,
          ids.map((id) => done(id)),
        ),
      ).toBe(0);
      expect(await statesOf()).toEqual({ ATTEMPTING: 2 });
    });

    test("moves nothing that another epoch claimed, even by a newer owner that recovered nothing yet", async () => {
      const [id] = await store(1);
      await claimDue(ownerOf(await acquire()), 1);
      expect(await writeFindings(ownerOf(await acquire()), [done(id as bigint)])).toBe(0);
    });

    test("moves nothing that is in another state by now", async () => {
      const [id] = await store(1);
      const owner = ownerOf(await acquire());
      await claimDue(owner, 1);
      expect(await writeFindings(owner, [done(id as bigint)])).toBe(1);
      expect(await writeFindings(owner, [done(id as bigint)])).toBe(0);
    });

    test("refuses a move that is not in the table, and writes nothing of the batch", async () => {
      const ids = await store(2);
      const owner = ownerOf(await acquire());
      await claimDue(owner, 2);
      const [first, second] = ids as [bigint, bigint];
      await expect(writeFindings(owner, [done(first), done(second, "COMPLETION_ABANDONED")])).rejects.toThrow(
        /illegal move/,
      );
      expect(await statesOf()).toEqual({ ATTEMPTING: 2 });
    });

    test("a write that meets a successor in the middle of acquiring waits for it, and is void", async () => {
      const [id] = await store(1);
      const old = ownerOf(await acquire());
      await claimDue(old, 1);
      const commit = await transaction(async (client) => {
        await client.query(`UPDATE portal_drains SET epoch = epoch + 1 WHERE portal_id = $1`, [PORTAL]);
      });
      const writing = writeFindings(old, [done(id as bigint)]);
      await untilSomebodyWaits();
      await commit();
      expect(await writing).toBe(0);
      expect(await statesOf()).toEqual({ ATTEMPTING: 1 });
    });

    test("a successor waits for a write that is under way, and then sees it", async () => {
      const [id] = await store(1);
      const old = ownerOf(await acquire());
      await claimDue(old, 1);
      const commit = await transaction(async (client) => {
        const inTransaction = { ...old, pool: client as unknown as Ownership["pool"] };
        expect(await writeFindings(inTransaction, [done(id as bigint)])).toBe(1);
      });
      const acquiring = acquire();
      await untilSomebodyWaits();
      await commit();
      const successor = ownerOf(await acquiring);
      expect(await recoverAttempts(successor, { isCrash: true })).toBe(0);
      expect(await readOwedCompletions(successor, 10)).toHaveLength(1);
    });

    test("a claim that meets a successor in the middle of acquiring takes nothing", async () => {
      await store(2);
      const old = ownerOf(await acquire());
      const commit = await transaction(async (client) => {
        await client.query(`UPDATE portal_drains SET epoch = epoch + 1 WHERE portal_id = $1`, [PORTAL]);
      });
      const claiming = claimDue(old, 10);
      await untilSomebodyWaits();
      await commit();
      expect(await claiming).toEqual([]);
      expect(await statesOf()).toEqual({ QUEUED: 2 });
    });
  });

  describe("completions", () => {
    async function decide(count: number): Promise<{ owner: Ownership; ids: bigint[] }> {
      const ids = await store(count);
      const owner = ownerOf(await acquire());
      await claimDue(owner, count);
      await writeFindings(
        owner,
        ids.map((id) => done(id)),
      );
      return { owner, ids };
    }

    test("are read oldest first, at most as many as asked for, with every output a string", async () => {
      const { owner } = await decide(5);
      const owed = await readOwedCompletions(owner, 3);
      expect(owed).toHaveLength(3);
      for (const { outputFields } of owed) {
        expect(outputFields).toMatchObject({ hs_execution_state: "SUCCESS", enrollment_status: "ENROLLED" });
        expect(Object.values(outputFields).every((value) => typeof value === "string")).toBe(true);
      }
    });

    test("are settled one by one: done, refused, given up, or owed again later", async () => {
      const { owner, ids } = await decide(4);
      const [first, second, third, fourth] = ids as [bigint, bigint, bigint, bigint];
      await pool().query(`UPDATE executions SET decided_at = now() - interval '1 minute'`);
      const written = await writeCompletionResults(owner, [
        { id: first, to: "COMPLETED" },
        { id: second, to: "COMPLETION_REFUSED", problem: "unknown callback" },
        { id: third, to: "COMPLETION_ABANDONED", problem: "too late" },
        { id: fourth, to: "DECIDED", delayMs: 60_000, problem: "outage" },
      ]);
      expect(written).toBe(4);
      expect(await statesOf()).toEqual({
        COMPLETED: 1,
        COMPLETION_REFUSED: 1,
        COMPLETION_ABANDONED: 1,
        DECIDED: 1,
      });
      expect(await readOwedCompletions(owner, 10)).toEqual([]);
    });

    test("an owner that was replaced settles nothing", async () => {
      const { owner, ids } = await decide(2);
      await acquire();
      expect(
        await writeCompletionResults(
          owner,
          ids.map((id) => ({ id, to: "COMPLETED" as const })),
        ),
      ).toBe(0);
      expect(await statesOf()).toEqual({ DECIDED: 2 });
    });

    test("a completion settled before is not settled again", async () => {
      const { owner, ids } = await decide(1);
      const results = ids.map((id) => ({ id, to: "COMPLETED" as const }));
      expect(await writeCompletionResults(owner, results)).toBe(1);
      expect(await writeCompletionResults(owner, results)).toBe(0);
    });

    test("a failure's code and sentence are what HubSpot gets", async () => {
      const [id] = await store(1);
      const owner = ownerOf(await acquire());
      await claimDue(owner, 1);
      await writeFindings(owner, [
        { id: id as bigint, from: "ATTEMPTING", result: { to: "DECIDED", outcome: failed("UNSUBSCRIBED") } },
      ]);
      const [owed] = await readOwedCompletions(owner, 1);
      expect(owed?.outputFields).toMatchObject({
        hs_execution_state: "FAIL_CONTINUE",
        enrollment_status: "FAILED",
        error_code: "UNSUBSCRIBED",
        enrollment_id: "",
      });
      expect(owed?.outputFields["error_message"]).not.toBe("");
    });
  });
});
