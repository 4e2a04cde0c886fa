import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { claimDue, claimUncertain, recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import { markAllUncertain } from "#domain/executions/mark-all-uncertain.js";
import { expirePastDeadline } from "#domain/executions/overdue/expire.js";
import { storeIntents } from "#domain/executions/intent.js";
import { failed } from "#domain/contract/outcome.js";
import { writeFindings, type Result } from "#domain/executions/write-back.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";

const portalId = 5n;
/** HubSpot's time, minutes away from ours: none of the two can be taken for the other. */
const at = (minutes: number): Date => new Date(Date.UTC(2026, 9, 1, 12, minutes));
const DOUBT: Result = { to: "UNCERTAIN", delayMs: 0 };

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES (5, 'CONNECTED')`);
});

beforeEach(() => db.database.pool.query(`DELETE FROM executions`));

afterAll(() => db.drop());

/** A new owner, for whom HubSpot's clock says `hubspotNow`. */
async function newOwner(hubspotNow: Date | undefined): Promise<Ownership> {
  const { epoch } = await acquirePortal(db.database.pool, portalId);
  return { pool: db.database.pool, portalId, epoch, leaseCte: LEASE_CTE, hubspotNow: () => hubspotNow };
}

async function seed(...seeds: Partial<ExecutionSeed>[]): Promise<void> {
  const dueAt = new Date(Date.now() - 60_000);
  await seedExecutions(
    db.database,
    seeds.map((one) => ({ portalId, sequenceId: "3", dueAt, ...one })),
  );
}

const rows = () => db.database.prisma.execution.findMany({ where: { portalId }, orderBy: { id: "asc" } });
const row = async () => (await rows())[0];

async function claimAndSend(owner: Ownership): Promise<bigint> {
  const [claimed] = await claimDue(owner, 1);
  const executionId = claimed?.id ?? 0n;
  const intent = { executionId, senderUserId: 7n, senderEmail: "a@b.c", senderChoice: {} };
  expect(await storeIntents(owner, [intent], [])).toBe(1);
  return executionId;
}

const end = (owner: Ownership, ...[id, from, result]: [bigint, "ATTEMPTING" | "UNCERTAIN", Result]) =>
  writeFindings(owner, [{ id, from, result }]);

describe("what is noted by HubSpot's clock", () => {
  test("the first request's time, which later ones leave as it is", async () => {
    await seed({});
    const id = await claimAndSend(await newOwner(at(1)));
    expect(await row()).toMatchObject({ firstSentAt: at(1) });
    const later = await newOwner(at(2));
    await recoverAttempts(later, { isCrash: true });
    await claimUncertain(later, 1);
    await end(later, id, "UNCERTAIN", { to: "QUEUED", delayMs: 0 });
    await claimAndSend(later);
    expect(await row()).toMatchObject({ firstSentAt: at(1) });
  });

  test("the doubt of an attempt whose process died between its intent and the answer, and of no other", async () => {
    await seed({}, {});
    const dead = await newOwner(at(1));
    await claimAndSend(dead);
    await claimDue(dead, 1);
    // Of an earlier attempt, which was found to have had no effect.
    await db.database.pool.query(`UPDATE executions SET doubted_at = $1 WHERE sender_user_id = 7`, [at(0)]);
    await recoverAttempts(await newOwner(at(2)), { isCrash: true });
    expect(await rows()).toMatchObject([
      { state: "UNCERTAIN", doubtedAt: at(2), senderUserId: 7n },
      { state: "QUEUED", doubtedAt: null, senderUserId: null },
    ]);
  });

  test("each further doubt again; readings leave it, and begin it where the clock was not known", async () => {
    await seed({});
    const unaware = await newOwner(undefined);
    const id = await claimAndSend(unaware);
    await end(unaware, id, "ATTEMPTING", DOUBT);
    expect(await row()).toMatchObject({ state: "UNCERTAIN", doubtedAt: null });
    for (const [minute, known] of [
      [3, 3],
      [4, 3],
    ] as const) {
      const reader = await newOwner(at(minute));
      await claimUncertain(reader, 1);
      await end(reader, id, "UNCERTAIN", DOUBT);
      expect(await row()).toMatchObject({ doubtedAt: at(known) });
    }
    const again = await newOwner(at(9));
    await claimUncertain(again, 1);
    await end(again, id, "UNCERTAIN", { to: "QUEUED", delayMs: 0 });
    // Nobody has sent it: what was in doubt did not take effect.
    expect(await row()).toMatchObject({ state: "QUEUED", senderUserId: null });
    await claimAndSend(again);
    await end(again, id, "ATTEMPTING", DOUBT);
    expect(await row()).toMatchObject({ state: "UNCERTAIN", doubtedAt: at(9) });
  });
});

describe("that it ended in doubt is noted", () => {
  async function inDoubt(): Promise<{ owner: Ownership; id: bigint }> {
    await seed({});
    const owner = await newOwner(at(1));
    const id = await claimAndSend(owner);
    await end(owner, id, "ATTEMPTING", DOUBT);
    return { owner, id };
  }

  test.each([failed("HUBSPOT_REJECTED"), failed("DEADLINE_EXCEEDED"), failed("HUBSPOT_UNAVAILABLE")])(
    "if it is given up without HubSpot's word ($errorCode)",
    async (outcome) => {
      const { owner, id } = await inDoubt();
      await claimUncertain(owner, 1);
      await end(owner, id, "UNCERTAIN", { to: "DECIDED", outcome });
      expect(await row()).toMatchObject({ state: "DECIDED", endedInDoubt: true, senderUserId: 7n });
    },
  );

  test("not if HubSpot refused the request", async () => {
    await seed({});
    const owner = await newOwner(at(1));
    const id = await claimAndSend(owner);
    const refusal = failed("UNSUBSCRIBED", { sender: { userId: 7n, email: "a@b.c" } });
    await end(owner, id, "ATTEMPTING", { to: "DECIDED", outcome: refusal });
    expect(await row()).toMatchObject({ state: "DECIDED", endedInDoubt: false, enrolledAt: null });
  });

  test("if its portal cannot be called until its deadline; what was not sent names no sender then", async () => {
    const { owner } = await inDoubt();
    await seed({ senderUserId: 8n });
    await db.database.pool.query(`UPDATE executions SET deadline_at = now()`);
    await expirePastDeadline(owner, "DEADLINE_EXCEEDED");
    const [doubted, queued] = await rows();
    expect(doubted).toMatchObject({ state: "DECIDED", endedInDoubt: true, senderUserId: 7n });
    expect(doubted?.errorMessage).toContain("the contact may still have been enrolled");
    expect(queued).toMatchObject({ state: "DECIDED", endedInDoubt: false, senderUserId: null });
    expect(queued?.errorMessage).not.toContain("enrolled anyway");
  });
});

test("after a restore everything undecided is in doubt, by nobody's clock, and earlier owners write nothing more", async () => {
  await seed({ senderUserId: 8n }, { state: "WATCHING" }, { state: "DECIDED" });
  const owner = await newOwner(at(1));
  const [claimed] = await claimDue(owner, 1);
  await seed({ senderUserId: 9n });
  expect(await markAllUncertain(db.database.pool)).toEqual({ enrollments: 3, portals: 1 });
  const doubt = { state: "UNCERTAIN", attempts: 1, doubtedAt: null, firstSentAt: null, senderUserId: null };
  expect(await rows()).toMatchObject([doubt, doubt, { state: "DECIDED" }, doubt]);
  for (const { state, acceptedAt, firstAttemptAt } of await rows())
    if (state === "UNCERTAIN") expect(firstAttemptAt?.getTime()).toBeLessThanOrEqual(acceptedAt.getTime());
  expect(await end(owner, claimed?.id ?? 0n, "ATTEMPTING", DOUBT)).toBe(0);
  expect(await claimUncertain(owner, 5)).toEqual([]);
});
