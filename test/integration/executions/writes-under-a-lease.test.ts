import { describe, expect, test } from "@jest/globals";
import { claimDue, recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import { readOwedCompletions, writeCompletionResults } from "#domain/executions/completions.js";
import { failed } from "#domain/contract/outcome.js";
import { writeFindings } from "#domain/executions/write-back.js";
import {
  PORTAL,
  pool,
  ownerOf,
  acquire,
  store,
  statesOf,
  done,
  transaction,
  untilSomebodyWaits,
  useLeaseStage,
} from "../../support/lease-stage.js";

useLeaseStage();

describe("a portal's lease and what is written under it", () => {
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
