import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  claimDue,
  claimUncertain,
  readNextContacts,
  recoverAttempts,
  type Ownership,
} from "#domain/executions/claim.js";
import {
  doubtCompletions,
  readOwedCompletions,
  writeCompletionResults,
  type CompletionResult,
} from "#domain/executions/completions.js";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import { expirePastDeadline } from "#domain/executions/overdue/expire.js";
import { storeIntents } from "#domain/executions/intent.js";
import { enrolled } from "#domain/contract/outcome.js";
import { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import { portalsWithHistory, pruneNext } from "#domain/history/prune.js";
import { resumePortal, wakeWaiters } from "#domain/executions/resume.js";
import { toTheEnd } from "#domain/executions/slices.js";
import { recallStranded } from "#domain/executions/overdue/stranded.js";
import { readOwnEnrollments, readWatched } from "#domain/executions/watch.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { findDuePortals, findOverduePortals, hasQueuedWork } from "#worker/sweeps/wake-due-portals.js";
import { readTurnStarts } from "#worker/drain/turn-start.js";
import { SenderLedger } from "#domain/senders/sender-ledger.js";
import { acquirePortal } from "#platform/queue/portal-lease.js";
import { readBacklog } from "#domain/accounts/backlog.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { PORTAL, QUIET, RETRYING, FEW, COUNTED, costOf, load } from "../../support/query-plans.js";

describe.each([
  ["with statistics of now", true],
  ["with statistics from before the backlog", false],
])(
  "however long the backlog and the history, statements read no more than they return, %s",
  (_, isAnalyzed) => {
    let db: TestDatabase;
    let epoch: bigint;

    beforeAll(async () => {
      db = await createTestDatabase({ isFresh: true });
      const { pool } = db.database;
      ({ epoch } = await acquirePortal(pool, PORTAL));
      await acquirePortal(pool, QUIET);
      await acquirePortal(pool, RETRYING);
      // Else statistics of now would come while we look.
      await pool.query(`ALTER TABLE executions SET (autovacuum_enabled = false)`);
      if (!isAnalyzed) await pool.query(`ANALYZE`);
      await load(pool, epoch);
      if (isAnalyzed) await pool.query(`ANALYZE`);
    }, 300_000);

    afterAll(() => db.drop());

    const cost = <T>(work: (owner: Ownership) => Promise<T>, portalId = PORTAL) =>
      costOf(db.database.pool, work, { portalId, epoch });

    async function idsIn(state: string, count: number): Promise<bigint[]> {
      const { rows } = await db.database.pool.query<{ id: string }>(
        `SELECT id FROM executions WHERE portal_id = $1 AND state = $2 ORDER BY id DESC LIMIT $3`,
        [PORTAL, state, count],
      );
      return rows.map(({ id }) => BigInt(id));
    }

    test("claiming what is due", async () => {
      const { read, result } = await cost((owner) => claimDue(owner, 50));
      expect(result).toHaveLength(50);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("reading which contacts are due next", async () => {
      const { read, result } = await cost((owner) => readNextContacts(owner, 50));
      expect(result).toHaveLength(50);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    // The indexes of a state hold what has left it until the next vacuum: thousands of rows, of all portals, in a busy hour.
    test("finding what was claimed by its key, not by an index full of what has left it", async () => {
      const { targetIndexes } = await cost(async (owner) => {
        const claimed = await claimDue(owner, 50);
        const sender = { senderUserId: 7n, senderEmail: "a@b.c", senderChoice: {} };
        await storeIntents(
          owner,
          claimed.map(({ id }) => ({ executionId: id, ...sender })),
          [],
        );
        const result = { to: "UNCERTAIN" as const, delayMs: 1_000 };
        await writeFindings(
          owner,
          claimed.map(({ id, state }) => ({ id, from: state, result })),
        );
      });
      expect(targetIndexes).toEqual(["executions_pkey", "executions_pkey", "executions_pkey"]);
    });

    test("looking for uncertain ones while there are none", async () => {
      expect((await cost((owner) => claimUncertain(owner, 50))).read).toBeLessThanOrEqual(FEW);
    });

    test("claiming what is due behind any number that are to be read first", async () => {
      const { read, result } = await cost((owner) => claimDue(owner, 50), RETRYING);
      expect(result).toHaveLength(50);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("claiming a few of many that are to be read first", async () => {
      const { read, result } = await cost((owner) => claimUncertain(owner, 50), RETRYING);
      expect(result).toHaveLength(50);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test.each<[string, (owner: Ownership) => Promise<unknown>]>([
      ["looking whether there is work", ({ pool }) => hasQueuedWork(pool, RETRYING)],
      ["beginning a turn", ({ pool }) => readTurnStarts(pool, [RETRYING])],
      ["recovering", (owner) => recoverAttempts(owner, { isCrash: true })],
      [
        "counting a sender's sends",
        (owner) => new SenderLedger({ ...owner, now: () => new Date() }).load([7n]),
      ],
    ])("%s where many are to be read first", async (_name, work) => {
      expect((await cost(work, RETRYING)).read).toBeLessThanOrEqual(FEW);
    });

    test("noting senders and findings where many are to be read first", async () => {
      const { read } = await cost(async (owner) => {
        const claimed = await claimDue(owner, 50);
        const sender = { senderUserId: 7n, senderEmail: "a@b.c", senderChoice: {} };
        const intents = claimed.map(({ id }) => ({ executionId: id, ...sender }));
        expect(await storeIntents(owner, intents, [])).toBe(50);
        const result = { to: "UNCERTAIN" as const, delayMs: 1_000 };
        await writeFindings(
          owner,
          claimed.map(({ id, state }) => ({ id, from: state, result })),
        );
      }, RETRYING);
      expect(read).toBeLessThanOrEqual(3 * FEW);
    });

    test("giving up what is past its time, with nothing but history", async () => {
      const { read } = await cost(async (owner) => {
        await expirePastDeadline(owner, "DEADLINE_EXCEEDED");
        await expirePastDeadline(owner, "PORTAL_PAUSED");
      }, QUIET);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("making a portal's waiting work due again, with nothing but history", async () => {
      const { read } = await cost(async ({ pool }) => {
        await toTheEnd(resumePortal(pool, QUIET));
        await toTheEnd(wakeWaiters(pool, QUIET));
      }, QUIET);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("giving up a few of many: each that is open is looked at once", async () => {
      const { pool } = db.database;
      const open = await pool.query(`SELECT FROM executions WHERE portal_id = $1`, [RETRYING]);
      await pool.query(
        `UPDATE executions SET deadline_at = now() WHERE portal_id = $1 AND callback_id LIKE '%00'`,
        [RETRYING],
      );
      const { read } = await cost((owner) => expirePastDeadline(owner, "HUBSPOT_UNAVAILABLE"), RETRYING);
      expect(read).toBeLessThanOrEqual((open.rowCount ?? 0) + 3 * FEW);
    });

    test("recovering while there is nothing to recover", async () => {
      expect((await cost((owner) => recoverAttempts(owner, { isCrash: true }))).read).toBeLessThanOrEqual(
        FEW,
      );
    });

    test("looking for those that wait for a sequence to end while there are none", async () => {
      const { read } = await cost((owner) => readWatched(owner, { limit: 100, gatherMs: 30_000 }));
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("reading what we enrolled a contact in", async () => {
      const since = new Date(Date.now() - 86_400_000);
      const { read } = await cost((owner) => readOwnEnrollments(owner, ["99"], since));
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("reading owed completions", async () => {
      const { read, result } = await cost((owner) => readOwedCompletions(owner, 100));
      expect(result).toHaveLength(100);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("writing findings", async () => {
      const outcome = enrolled({ id: "1", enrolledAt: new Date() });
      const { read } = await cost(async (owner) => {
        const claimed = await claimDue(owner, 50);
        const findings = claimed.map(({ id, state }) => ({
          id,
          from: state,
          result: { to: "DECIDED" as const, outcome },
        }));
        await writeFindings(owner, findings);
      });
      expect(read).toBeLessThanOrEqual(2 * FEW);
    });

    test.each<Omit<CompletionResult & { to: "COMPLETED" }, "id" | "to"> & { to: CompletionResult["to"] }>([
      { to: "COMPLETED" },
      { to: "COMPLETION_REFUSED", problem: "gone", isDoubted: true },
      { to: "COMPLETION_ABANDONED", problem: "no answer" },
      { to: "DECIDED", problem: "no answer", isDoubted: true },
    ])("settling completions of a portal that is owed thousands: %j", async ({ to, ...outcome }) => {
      const results = (await idsIn("DECIDED", 50)).map((id): CompletionResult => {
        return to === "DECIDED"
          ? { id, to, delayMs: 1_000, problem: "", ...outcome }
          : { id, to, ...outcome };
      });
      const { read, targetIndexes } = await cost((owner) => writeCompletionResults(owner, results));
      expect(read).toBeLessThanOrEqual(FEW);
      expect(targetIndexes).toEqual(["executions_pkey"]);
    });

    test("doubting what a dead owner may have sent: a few batches, however many thousands are owed", async () => {
      const { read } = await cost((owner) => doubtCompletions(owner));
      expect(read).toBeGreaterThan(100);
      expect(read).toBeLessThanOrEqual(3_000 + FEW);
      expect((await cost((owner) => doubtCompletions(owner), QUIET)).read).toBe(0);
    });

    test("recalling what is due far too late while there is nothing to recall", async () => {
      const { read, result } = await cost(({ pool }) => recallStranded(pool));
      expect(result).toBe(0);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    const call = (callbackId: string, portalId = PORTAL) => ({
      kind: "ENROLL" as const,
      portalId,
      callbackId,
      contactId: "1",
      workflowId: undefined,
      sequenceId: "2",
      request: { senderMode: "portal_default" as const },
    });

    test("storing a shared commit of calls, and once more as it is delivered again", async () => {
      const { read, result } = await cost(({ pool }) => {
        const accept = createAcceptor({ pool, deadlineHours: 1, onStored: () => undefined });
        return Promise.all(Array.from({ length: 50 }, (__, index) => accept(call(`ap-new-${index}`))));
      });
      // The second delivery is our own: EXPLAIN has stored them.
      expect(new Set(result)).toEqual(new Set(["duplicate"]));
      expect(read).toBeLessThanOrEqual(2 * FEW);
    });

    test("sweeping for portals with work", async () => {
      const { read, result } = await cost(({ pool }) => findDuePortals(pool));
      expect(new Set(result)).toEqual(new Set([PORTAL, RETRYING]));
      expect(read).toBeLessThanOrEqual(FEW);
    });

    const setStatus = (portalId: bigint, status: string) =>
      db.database.pool.query(`UPDATE portals SET status = $2 WHERE portal_id = $1`, [portalId, status]);
    const disconnect = (from: bigint) =>
      db.database.pool.query(`UPDATE portals SET status = 'DISCONNECTED' WHERE portal_id >= $1`, [from]);

    test("sweeping for portals past their time, of portals that cannot be called and have nothing open", async () => {
      await disconnect(RETRYING + 1n);
      expect((await cost(({ pool }) => findOverduePortals(pool))).read).toBeLessThanOrEqual(FEW);
    });

    test("refusing calls of a portal that is not connected, but for those stored before", async () => {
      await setStatus(QUIET, "DISCONNECTED");
      const { read, result } = await cost(({ pool }) => {
        const accept = createAcceptor({ pool, deadlineHours: 1, onStored: () => undefined });
        // Of four in the history the quiet portal has one.
        return Promise.all([4, 5, 6, 7, 8].map((number) => accept(call(`ap-plan-${number}`, QUIET))));
      });
      expect(result).toEqual(["duplicate", "not_connected", "not_connected", "not_connected", "duplicate"]);
      expect(read).toBeLessThanOrEqual(FEW);
      await setStatus(QUIET, "CONNECTED");
    });

    test("and of one that has much: what is open, once, and nothing at all soon after", async () => {
      await disconnect(RETRYING);
      const { pool } = db.database;
      const { rowCount } = await pool.query(`SELECT FROM executions WHERE portal_id = $1`, [RETRYING]);
      const looks = new OverdueLooks(pool);
      const { read } = await cost(async (owner) => {
        const looking = new OverdueLooks(owner.pool);
        await findOverduePortals(owner.pool, looking);
        await findOverduePortals(owner.pool, looking);
      });
      expect(read).toBeLessThanOrEqual((rowCount ?? 0) + FEW);
      expect(await looks.among([RETRYING])).toEqual([RETRYING]);
      expect(await looks.among([RETRYING])).toEqual([]);
    });

    test("looking whether a portal has work", async () => {
      expect((await cost(({ pool }) => hasQueuedWork(pool, PORTAL))).read).toBeLessThanOrEqual(FEW);
    });

    test("beginning the turns of several portals", async () => {
      const { read, result } = await cost(({ pool }) => readTurnStarts(pool, [PORTAL, QUIET, RETRYING]));
      expect(result).toHaveLength(3);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    test("a step of the retention job", async () => {
      const step = { portalId: PORTAL, after: 0n, limit: 50 };
      expect((await cost(({ pool }) => pruneNext(pool, step))).read).toBeLessThanOrEqual(FEW);
    });

    test("finding the portals that have a history", async () => {
      const { read, result } = await cost(({ pool }) => portalsWithHistory(pool));
      expect(result).toEqual([PORTAL, QUIET, RETRYING]);
      expect(read).toBeLessThanOrEqual(FEW);
    });

    // A page may be slow for the minute until statistics are gathered; the work must not be.
    if (!isAnalyzed) return;

    test("the settings site's counts: as many as they count at most", async () => {
      const backlog = await cost(({ pool }) => readBacklog({ pool }, PORTAL));
      expect(backlog.result.undecided).toBeGreaterThan(0);
      expect(backlog.read).toBeLessThanOrEqual(2 * COUNTED);
    });
  },
);
