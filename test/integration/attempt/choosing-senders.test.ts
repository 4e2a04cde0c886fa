import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Pool, QueryConfig } from "pg";
import { enrolled } from "#domain/contract/outcome.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import type { SenderDecision } from "#domain/senders/choose-sender.js";
import type { PeopleSources } from "#domain/senders/people.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const DAY_MS = 86_400_000;
/** What an enrollment counts longer than a day. */
const SKEW_MS = 60_000;
const HOUR_MS = 3_600_000;
const ADA = 7n;
const BEA = 8n;

const people: PeopleSources = {
  owner: () => Promise.resolve(undefined),
  userEmails: (userIds) =>
    Promise.resolve(new Map(userIds.map((userId) => [userId, `user${userId}@example.com`]))),
};

/** `pool`, which does `first` before it sends the query of that name. */
function beforeQuery(pool: Pool, name: string, first: () => Promise<void>): Pool {
  const query = async (config: QueryConfig): Promise<unknown> => {
    if (config.name === name) await first();
    return pool.query(config);
  };
  return new Proxy(pool, { get: (of, key) => (key === "query" ? query : Reflect.get(of, key, of)) });
}

describe("choosing senders", () => {
  let db: TestDatabase;
  let portalId = 6_100n;
  let nextExecution = 1n;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    portalId += 1n;
    await db.database.prisma.portal.create({
      data: { portalId, status: "CONNECTED", directoryRequestedAt: null },
    });
  });

  async function openSelection(options: { pool?: Pool; now?: () => Date } = {}): Promise<SenderSelection> {
    const { pool = db.database.pool, now = () => new Date() } = options;
    const { epoch } = await acquirePortal(db.database.pool, portalId);
    return new SenderSelection({ owner: { pool, portalId, epoch, leaseCte: LEASE_CTE }, now });
  }

  type SenderData = Partial<Parameters<typeof db.database.prisma.senderSettings.create>[0]["data"]>;

  function setSender(userId: bigint, data: SenderData) {
    const { prisma } = db.database;
    return prisma.senderSettings.create({ data: { ...data, portalId, userId } as never });
  }

  function choose(
    selection: SenderSelection,
    changes: Partial<Policy> = {},
    patienceMs = 30 * DAY_MS,
  ): Promise<SenderDecision> {
    const sender = { mode: "specific_user", userId: String(ADA) } as const;
    return selection.choose({
      executionId: (nextExecution += 1n),
      alias: undefined,
      people,
      properties: {},
      patienceMs,
      policy: { ...INITIAL_POLICY, sender, ...changes },
      lastSender: () => Promise.resolve(undefined),
    });
  }

  const sentAgo = (userId: bigint, ms: number) => ({
    portalId,
    sequenceId: "1",
    senderUserId: userId,
    enrollmentStatus: "ENROLLED",
    enrolledAt: new Date(Date.now() - ms),
  });

  const delays = (decisions: readonly SenderDecision[]): number[] =>
    decisions.map((decision) =>
      decision.kind === "wait" ? Math.round(decision.delayMs / 1_000) * 1_000 : 0,
    );

  test("gives each contact over the cap its own place: one day after another", async () => {
    await setSender(ADA, { dailyCap: 1 });
    await seedExecutions(db.database, [sentAgo(ADA, HOUR_MS)]);
    const selection = await openSelection();
    const [first, second, third] = delays([
      await choose(selection),
      await choose(selection),
      await choose(selection),
    ]);
    const round = DAY_MS + SKEW_MS;
    expect(Math.abs((first ?? 0) - (round - HOUR_MS))).toBeLessThan(5_000);
    expect(Math.abs((second ?? 0) - (2 * round - HOUR_MS))).toBeLessThan(5_000);
    expect(Math.abs((third ?? 0) - (3 * round - HOUR_MS))).toBeLessThan(5_000);
  });

  test("gives them places of their own even if they ask at the same moment", async () => {
    await setSender(ADA, { dailyCap: 1 });
    await seedExecutions(db.database, [sentAgo(ADA, HOUR_MS)]);
    const selection = await openSelection();
    const given = delays(await Promise.all(Array.from({ length: 20 }, () => choose(selection))));
    expect(new Set(given).size).toBe(20);
  });

  test("places of a cap of several come as those who sent leave the day, and then in rounds", async () => {
    await setSender(ADA, { dailyCap: 2 });
    await seedExecutions(db.database, [sentAgo(ADA, 2 * HOUR_MS), sentAgo(ADA, HOUR_MS)]);
    const selection = await openSelection();
    const given: SenderDecision[] = [];
    for (let count = 0; count < 4; count += 1) given.push(await choose(selection));
    const round = DAY_MS + SKEW_MS;
    const expected = [round - 2 * HOUR_MS, round - HOUR_MS, 2 * round - 2 * HOUR_MS, 2 * round - HOUR_MS];
    for (const [index, delay] of delays(given).entries())
      expect(Math.abs(delay - (expected[index] ?? 0))).toBeLessThan(5_000);
  });

  test("whose doubt is settled during the choice is checked again at once, whatever the result", async () => {
    await setSender(ADA, { dailyCap: 1 });
    const doubted = { portalId, state: "UNCERTAIN", attempts: 1, sequenceId: "1" };
    await seedExecutions(db.database, [doubted]);
    const { id = 0n } = (await db.database.prisma.execution.findFirst({ where: { portalId } })) ?? {};
    const { pool } = db.database;
    const selection: SenderSelection = await openSelection({
      pool: beforeQuery(pool, "read-sender-waiters", async () => {
        const outcome = enrolled({
          enrolledAt: new Date(),
          sender: { userId: ADA, email: "user7@example.com" },
        });
        await selection.settle({ id }, { to: "DECIDED", outcome });
      }),
    });
    const fallback = { ...INITIAL_POLICY.fallback, whenNobody: "fail" } as const;
    const decision = await choose(selection, { fallback });
    expect(delays([decision])[0]).toBeGreaterThan(0);
    expect(delays([decision])[0]).toBeLessThan(60_000);
    expect((await choose(selection, { fallback })).kind).toBe("fail");
  });

  test("a sender whom HubSpot calls over its limit is waited for until then, also inside its window", async () => {
    await setSender(ADA, { limitedUntil: new Date(Date.now() + HOUR_MS) });
    const decision = await choose(await openSelection());
    expect(decision).toMatchObject({ kind: "wait", forUserId: ADA });
    expect(Math.abs((delays([decision])[0] ?? 0) - HOUR_MS)).toBeLessThan(5_000);
  });

  test("a sender that is limited longer than its window is open is waited for until the window opens again", async () => {
    const now = new Date("2026-11-26T12:00:00Z");
    const window = { windowStartMinute: 8 * 60, windowEndMinute: 12 * 60 + 30, timeZone: "utc" };
    await setSender(ADA, { ...window, limitedUntil: new Date(now.getTime() + HOUR_MS) });
    const decision = await choose(await openSelection({ now: () => now }));
    expect(delays([decision])).toEqual([20 * HOUR_MS]);
  });

  test("of several senders who are free later, the first is waited for; of equals, the one considered first", async () => {
    const now = new Date("2026-11-26T12:00:00Z");
    const until = (hour: number) => ({
      windowStartMinute: hour * 60,
      windowEndMinute: 1_440,
      timeZone: "utc",
    });
    await setSender(ADA, until(20));
    await setSender(BEA, until(18));
    const members = { create: [{ userId: ADA }, { userId: BEA }, { userId: 9n }] };
    await setSender(9n, until(18));
    const { rotationId } = await db.database.prisma.rotation.create({
      data: { portalId, name: "Team", members },
    });
    const sender = { mode: "rotation" as const, rotationId: String(rotationId) };
    const decision = await choose(await openSelection({ now: () => now }), { sender });
    expect(decision).toMatchObject({ kind: "wait", forUserId: BEA, delayMs: 6 * HOUR_MS });
  });

  test("a contact is never put off by less than a second, and not beyond its own patience", async () => {
    await setSender(ADA, { limitedUntil: new Date(Date.now() + 900) });
    const soon = await choose(await openSelection());
    expect(soon.kind === "wait" ? soon.delayMs : 0).toBe(1_000);
    await setSender(BEA, { limitedUntil: new Date(Date.now() + HOUR_MS) });
    const sender = { mode: "specific_user", userId: String(BEA) } as const;
    const impatient = await choose(await openSelection(), { sender }, HOUR_MS / 2);
    expect(impatient).toMatchObject({ kind: "fail", code: "SENDER_LIMIT_REACHED" });
  });

  describe("a request for the policy since a moment that the database's clock has not reached", () => {
    function counting(): { pool: Pool; reads: () => number } {
      let reads = 0;
      const pool = new Proxy(db.database.pool, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (key !== "query") return value;
          return (query: QueryConfig) => {
            if (query.name === "read-portal-policy") reads += 1;
            return target.query(query);
          };
        },
      });
      return { pool, reads: () => reads };
    }

    test("reads once more and answers, even if many ask: a clock that was set back holds up nobody", async () => {
      const { pool, reads } = counting();
      const selection = await openSelection({ pool });
      await selection.policy.current();
      const ahead = new Date(Date.now() + 40_000);
      await Promise.all(Array.from({ length: 50 }, () => selection.policy.current(ahead)));
      expect(reads()).toBeLessThanOrEqual(3);
      await selection.policy.current(ahead);
      expect(reads()).toBeLessThanOrEqual(4);
    });

    test("returns changes from before the request, whatever the clock says", async () => {
      const selection = await openSelection();
      expect((await selection.policy.current()).isPaused).toBe(false);
      await db.database.prisma.portalSettings.create({ data: { portalId, pausedAt: new Date() } });
      expect((await selection.policy.current(new Date(Date.now() + 40_000))).isPaused).toBe(true);
    });

    test("does not take a read that began before the question for an answer", async () => {
      const selection = await openSelection();
      const underWay = selection.policy.current();
      await db.database.prisma.portalSettings.create({ data: { portalId, pausedAt: new Date() } });
      const asked = selection.policy.current(new Date(Date.now() + 40_000));
      await underWay;
      expect((await asked).isPaused).toBe(true);
    });
  });
});
