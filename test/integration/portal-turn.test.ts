import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { failed } from "../../src/executions/outcome.js";
import type { PortalGateway } from "../../src/hubspot/gateway.js";
import { RequestBudget } from "../../src/hubspot/request-budget.js";
import { PortalTurn } from "../../src/jobs/portal-turn.js";
import { SenderDesk } from "../../src/jobs/sender-desk.js";
import { createSlotSource } from "../../src/jobs/slot-source.js";
import { INITIAL_POLICY } from "../../src/policy/policy.js";
import { acquirePortal, LEASE_CTE } from "../../src/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { seedExecutions } from "../support/executions.js";

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
            Promise.resolve({ taken: new Set(sent.map(({ callbackId }) => callbackId)), refused: new Map() }),
        }) as unknown as PortalGateway,
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

  test("does not leave an attempt before the last member of its rotation has been looked up", async () => {
    const { prisma } = db.database;
    const members = { create: [1n, 2n].map((userId) => ({ userId })) };
    const { rotationId } = await prisma.rotation.create({
      data: { portalId: PORTAL, name: "Team", members },
    });
    const desk = new SenderDesk({ owner: await ownerOf(PORTAL), now: () => new Date() });
    let answer = (): void => undefined;
    const slow = new Promise<string>((resolve) => (answer = () => resolve("ann@example.com")));
    let hasEnded = false;
    const choosing = desk.choose({
      executionId: 1n,
      policy: { ...INITIAL_POLICY, sender: { mode: "rotation", rotationId: String(rotationId) } },
      properties: {},
      alias: undefined,
      people: {
        owner: () => Promise.resolve(undefined),
        userEmail: (userId) => (userId === 1n ? slow : Promise.reject(new Error("HubSpot refused"))),
      },
      lastSender: () => Promise.resolve(undefined),
      patienceMs: 60_000,
    });
    const ending = choosing.finally(() => (hasEnded = true)).catch((fault: unknown) => fault);
    // Later than the statements of the choice: by then it would have ended.
    await db.database.pool.query(`SELECT pg_sleep(0.2)`);
    expect(hasEnded).toBe(false);
    answer();
    expect(await ending).toEqual(new Error("HubSpot refused"));
  });
});
