import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { QueryConfig } from "pg";
import { pino } from "pino";
import { createDirectory } from "#domain/directory/directory.js";
import { failed } from "#domain/contract/outcome.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { findPeople } from "#domain/dry-run/find-people.js";
import { PortalTurn } from "#worker/drain/portal-turn.js";
import type { EnrollContext } from "#worker/attempt/enroll-context.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import { createSlotSource } from "#worker/drain/slot-source.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const PORTAL = 5_301n;

function budgetOf(limit: number): RequestBudget {
  return new RequestBudget({ limit, windowMs: 10_000, now: () => performance.now() });
}

describe("a turn whose budget is used up", () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
      PORTAL,
    ]);
  });

  afterAll(() => db.drop());

  async function ownerOf(portalId: bigint) {
    const { pool } = db.database;
    const { epoch } = await acquirePortal(pool, portalId);
    return { pool, portalId, epoch, leaseCte: LEASE_CTE };
  }

  test("gives every other slot that comes free to a new contact, however many doubtful ones wait", async () => {
    const ofState = (state: string) => ({ portalId: PORTAL, state, sequenceId: "1" });
    await seedExecutions(db.database, [
      ...Array.from({ length: 20 }, () => ofState("UNCERTAIN")),
      ...Array.from({ length: 5 }, () => ofState("QUEUED")),
    ]);
    await db.database.pool.query(`UPDATE executions SET due_at = now() - interval '1 second'`);
    const attempted: string[] = [];
    const budget = budgetOf(1);
    await new PortalTurn({
      owner: await ownerOf(PORTAL),
      budget,
      slots: createSlotSource(budget, {
        portalId: PORTAL,
        mayStillSend: () => true,
        circuit: { isOpen: false },
      }),
      circuit: { isProbing: false },
      mostUnderWay: () => 64,
      gatewayWith: () =>
        ({
          completeBatch: (sent: { callbackId: string }[]) =>
            Promise.resolve({
              taken: new Set(sent.map(({ callbackId }) => callbackId)),
              refused: new Map(),
              hasUnnamedErrors: false,
            }),
        }) as unknown as PortalGateway,
      contextWith: () => ({}) as EnrollContext,
      attempt: ({ state }) => {
        attempted.push(state);
        return Promise.resolve({ to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") });
      },
      mayAttempt: () => Promise.resolve(true),
      logger: pino({ level: "silent" }),
      mayStillWrite: () => true,
      mayGoOn: () => attempted.length < 8,
    }).run();
    expect(attempted.filter((state) => state === "ATTEMPTING").length).toBeGreaterThanOrEqual(4);
    expect(attempted.filter((state) => state === "UNCERTAIN").length).toBeGreaterThanOrEqual(4);
  });

  test("counts the slot of a request under way when the attempt that sent it ends before", () => {
    const budget = budgetOf(2);
    const slots = createSlotSource(budget, {
      portalId: PORTAL,
      mayStillSend: () => true,
      circuit: { isOpen: false },
    });
    const [used, unused] = slots.takeFree(2, 0);
    const underWay = used?.use();
    used?.giveBack();
    unused?.giveBack();
    expect(budget.available()).toBe(1);
    underWay?.settle();
    expect(budget.available()).toBe(1);
  });

  test("has its whole budget again if the database fails between two claims of a turn", async () => {
    const portalId = 7_009n;
    await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED" } });
    await seedExecutions(db.database, [{ portalId, state: "UNCERTAIN", sequenceId: "1" }]);
    await db.database.pool.query(`UPDATE executions SET due_at = now() - interval '1 second'`);
    const budget = budgetOf(4);
    const turn = new PortalTurn({
      owner: await ownerOf(portalId),
      budget,
      slots: createSlotSource(budget, { portalId, mayStillSend: () => true, circuit: { isOpen: false } }),
      circuit: { isProbing: false },
      mostUnderWay: () => 64,
      gatewayWith: () => ({}) as PortalGateway,
      contextWith: () => ({}) as EnrollContext,
      attempt: () => Promise.resolve({ to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") }),
      mayAttempt: () => Promise.reject(new Error("the database is gone")),
      logger: pino({ level: "silent" }),
      mayStillWrite: () => true,
      mayGoOn: () => true,
    });
    await expect(turn.run()).rejects.toThrow("the database is gone");
    expect(budget.available()).toBe(4);
  });

  test("looks all members of a rotation up together, once for all contacts that need them at the same moment", async () => {
    const { prisma, pool } = db.database;
    const ids = Array.from({ length: 200 }, (_, index) => BigInt(index + 1));
    const portalId = 7_008n;
    await prisma.portal.create({ data: { portalId, status: "CONNECTED" } });
    await prisma.user.createMany({
      data: ids.map((userId) => ({
        portalId,
        userId,
        email: `${userId}@b.example`,
        superAdmin: false,
        isListed: true,
      })),
    });
    const members = { create: ids.map((userId) => ({ userId })) };
    const { rotationId } = await prisma.rotation.create({ data: { portalId, name: "All", members } });
    let statements = 0;
    const counting: Pick<typeof pool, "query"> = {
      query: ((config: QueryConfig) => ((statements += 1), pool.query(config))) as typeof pool.query,
    };
    const people = findPeople({
      portalId,
      directory: createDirectory({ pool: counting as typeof pool }),
      readOwner: () => Promise.resolve(undefined),
      readOwnerOfUser: () => Promise.resolve(undefined),
    });
    const selection = new SenderSelection({ owner: await ownerOf(portalId), now: () => new Date() });
    const decisions = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        selection.choose({
          executionId: BigInt(index + 1),
          policy: { ...INITIAL_POLICY, sender: { mode: "rotation", rotationId: String(rotationId) } },
          properties: {},
          alias: undefined,
          people,
          patienceMs: 60_000,
          lastSender: () => Promise.resolve(undefined),
        }),
      ),
    );
    expect(new Set(decisions.map((each) => each.kind === "send" && each.sender.userId)).size).toBe(20);
    expect(statements).toBe(1);
  });

  test("does not leave an attempt before the last member of its rotation has been looked up", async () => {
    const { prisma } = db.database;
    const members = { create: [1n, 2n].map((userId) => ({ userId })) };
    const { rotationId } = await prisma.rotation.create({
      data: { portalId: PORTAL, name: "Team", members },
    });
    const selection = new SenderSelection({ owner: await ownerOf(PORTAL), now: () => new Date() });
    let answer = (): void => undefined;
    const slow = new Promise<undefined>((resolve) => (answer = () => resolve(undefined)));
    let hasEnded = false;
    const choosing = selection.choose({
      executionId: 1n,
      policy: { ...INITIAL_POLICY, sender: { mode: "rotation", rotationId: String(rotationId) } },
      properties: {},
      alias: undefined,
      people: findPeople({
        portalId: PORTAL,
        directory: createDirectory(db.database),
        readOwner: () => Promise.resolve(undefined),
        readOwnerOfUser: (userId) => (userId === 1n ? slow : Promise.reject(new Error("HubSpot refused"))),
      }),
      lastSender: () => Promise.resolve(undefined),
      patienceMs: 60_000,
    });
    const ending = choosing.finally(() => (hasEnded = true)).catch((error: unknown) => error);
    // Later than the statements of the choice: by then it would have ended.
    await db.database.pool.query(`SELECT pg_sleep(0.2)`);
    expect(hasEnded).toBe(false);
    answer();
    expect(await ending).toEqual(new Error("HubSpot refused"));
  });
});
