import { describe, expect, test } from "@jest/globals";
import { claimDue, claimUncertain, recoverAttempts } from "#domain/executions/claim.js";
import { storeIntents } from "#domain/executions/intent.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { releasePortal } from "#platform/queue/portal-lease.js";
import {
  PORTAL,
  OTHER,
  pool,
  ownerOf,
  acquire,
  store,
  statesOf,
  useLeaseStage,
} from "../../support/lease-stage.js";

useLeaseStage();

describe("a portal's lease and what is written under it", () => {
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
      executionId,
      senderUserId: 7n,
      senderEmail: "ann@example.com",
      senderChoice: {},
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

    test("counts no crash where the earlier owner handed over in order, and starts again after an attempt that ended", async () => {
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
});
